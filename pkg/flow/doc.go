// Package flow defines the text message flows: their rules, their definitions, their Liquid texts, and the cost of a text. It
// is pure: no clock, no network, no files.
//
//	rules.go      the table of flows: what fires, revokes and outdates each, its window, quiet hours, what it absorbs
//	happening.go  what happens to a subscriber: the words that the table is written in
//	help.go       the answer to HELP
//	flow.go       a flow as a store defines it
//	parse.go      the flows file, YAML
//	format.go     writes flows as such a file
//	check.go      what a flow must fulfill before it is active
//	fault.go      one fault in a flow
//	syntax.go     the language of texts
//	values.go     the values of a text by name, for a destination that renders it
//	variables.go  the names that a text may use
//	resources.go  what a flow's triggers are about, and so which names its text may use
//	sample.go     sample values
//	shop.go       the shop, and its link templates
//	render.go     a flow's text for one customer
//	short.go      its text with short links
//	frame.go      the name of the shop before a text, how to opt out after it
//	preview.go    its text with sample values, and what it costs
//	liquid.go     the Liquid engine
//	normalize.go  characters that cost less
//	emoji.go      what is left of an emoji that was cut
//	segments.go   encoding and price of a text
//	cost.go       the price of a part
//	price.go      characters that make a text expensive
package flow
