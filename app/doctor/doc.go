// Package doctor checks an installation: configuration, brokers, topics, consumer groups, and for each store Recharge, the destinations, texts and
// the import. Each check is a function that returns rows: what was found, and what to do about it. Nothing is changed.
//
//	doctor.go        Installation, and Run, which makes all checks
//	row.go           Row and its statuses
//	kafka.go         brokers and topics
//	groups.go        members and lag of the consumer groups
//	members.go       members with another version or configuration
//	recharge.go      a store's API token and webhooks at Recharge
//	clock.go         the clock of this machine against Recharge's
//	destinations.go  credentials of the destinations of events, and samples
//	links.go         whether the domain of a store's short links leads to the role links
//	texts.go         how a store sends texts: driver, consent, quiet hours, flows, pauses
//	imports.go       the import of a store
//
// A check that can't be made because an earlier one failed is a warning that says so.
package doctor
