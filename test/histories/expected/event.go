package expected

import (
	"fmt"
	"strings"
	"time"
)

// Event is an event, as it is compared.
type Event struct {
	Name string // type and status
	ID   string // of the subscription or charge, else of the customer
	At   string // occurred_at
	To   string // the customer's e-mail
	More string // the property's value, or what changed
}

// String formats the event in one line.
func (e Event) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s at %s to %s %s", e.Name, e.ID, e.At, e.To, e.More))
}

func compare(a, b Event) int { return strings.Compare(a.String(), b.String()) }

// Stamp formats a time for comparison.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

const property = "customer_property"
