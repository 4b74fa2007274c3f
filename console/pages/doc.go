// Package pages is the console's pages: HTML from html/template, which escapes what is put into it by its context, one style sheet and one script.
// A page shows what the service returns and nothing else. It works without the script; the script adds previews while typing, what happens as it
// happens, and times and numbers as the reader writes them.
//
// A request for a part of a page has the query part={name}: the answer is that part alone.
//
//	pages.go      Pages: what they are built from, their routes, who may use them
//	view.go       what every page shows: store, person, navigation, notices; writing a page
//	templates.go  the templates and the functions that they use
//	assets.go     style sheet, script and icon, under names that change with their content
//	form.go       fields of forms
//	words.go      states, kinds and reasons in plain words
//	fail.go       the page of an error
//	login.go      the page for logging in
//	start.go      the stores, and the first page of one
//	charts.go     SVG charts
//	flows.go      the twelve flows, and their numbers
//	flow.go       one flow: editor, preview, saving
//	activate.go   activating a flow, after a look at what would be sent
//	versions.go   the versions of a flow: comparing, restoring
//	backtest.go   a draft on what has happened; a test to a number
//	sending.go    quiet hours, pauses
//	consent.go    numbers that have opted in or out
//	texts.go      texts: search, the life of one, those of unknown outcome
//	customers.go  customers: search, one, what happened to them
//	segments.go   segments: build, count, members, export
//	push.go       pushing segments to Bloomreach
//	events.go     the kinds of events, and samples
//	pipeline.go   topics and groups
//	letters.go    dead letters and sending them again
//	access.go     people and tokens
package pages
