package flow

// Flow is one kind of text message, as a store defines it.
type Flow struct {
	Key        Key    // one of the twelve
	Name       string // shown to people
	Text       string // Liquid template, at most MaxSource bytes
	Active     bool   // false: its triggers are counted, nothing is sent
	QuietHours bool   // true: a text is held back during quiet hours
}
