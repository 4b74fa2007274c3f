// Package service is what can be seen and done in the console, for the API and the pages alike: a page shows nothing that the API does not
// return. Requests and results are structs with json tags. Personal data is masked unless a request says reveal, which only operators may.
// Who may call what is decided before.
//
//	service.go      Service and what it is built from
//	errors.go       the errors that callers tell apart
//	types.go        Marketing: the methods of the marketer's part, requests and results about flows
//	flows.go        stores and flows as they are set now
//	changes.go      changes of flows, their history; how changes are written
//	preview.go      a draft as customers would read it, and one text with it to a number
//	play.go         what a draft would have sent, what activation does, and the outcomes of texts
//	sending.go      quiet hours, limits, pauses
//	consent.go      whom a store may text
//	segments.go     segments and their changes
//	members.go      the members of segments: counts, pages and files
//	push.go         pushes of segments to Bloomreach
//	operations.go   Operations: the methods of the operator's part; Jobs: what outlives a change of the configuration
//	limits.go       how many requests read whole topics at a time, how many tests a person may send; whether brokers answer
//	why.go          reasons in plain words
//	overview.go     whether a store is connected, by checks that are made from time to time, and what happens there
//	texts.go        texts: search, the life of one, those of unknown outcome
//	resolve.go      what an operator found out about a text
//	customers.go    customers: search, one, the timeline
//	events.go       the kinds of events, and samples; events and texts as they come
//	pipeline.go     what is shown of topics and groups
//	lags.go         reads it: offsets, lag, rates, members
//	deadletters.go  dead letters: a list, one
//	replay.go       sends dead letters to their roles again
//	tokens.go       tokens of the API
package service
