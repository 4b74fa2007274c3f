package sms

import (
	"context"
	"time"
)

// Abilities are what a driver can do with its provider. They are data for the sender, the command doctor and the docs.
type Abilities struct {
	Texts    bool // takes texts
	Triggers bool // takes triggers: messages with Values

	// Deduplicates means that the provider drops a second text with the same id, so that one whose outcome is Unknown may be sent again.
	Deduplicates bool
	// LooksUp means that the driver is a Finder.
	LooksUp bool
	// ReportsDelivery and PassesReplies are what the provider calls the gateway for.
	ReportsDelivery bool
	PassesReplies   bool

	// PerSecond is how many requests the provider takes of an account each second; 0 if that is not known, or far more than needed.
	PerSecond int
}

// Takes reports whether the driver takes triggers, or else texts.
func (a Abilities) Takes(triggers bool) bool {
	if triggers {
		return a.Triggers
	}
	return a.Texts
}

// Finder is a Driver that can look up whether the provider has a text.
type Finder interface {
	// Find looks for a text whose call began at a time and was not answered. found means that the provider has it, unless it is another text to the
	// number with the same content that was sent at that time; that it is not found proves nothing. The error contains neither number nor text.
	Find(ctx context.Context, m Message, began time.Time) (receipt Receipt, found bool, err error)
}
