// Package readmodel keeps what the console shows in SQLite: events, facts, texts, customers, subscriptions, charges and dead letters, as the
// topics have them. The directory may be deleted: everything comes back from the topics.
//
//	rows.go             what queries return
//	filters.go          what queries of lists take
//	model.go            Model: opens, runs, and is built again
//	schema.go           the tables
//	files.go            the files of the database
//	follow.go           follows the topics
//	turn.go             fetches, and writes in transactions
//	writer.go           writer: a transaction, and what a record changes
//	write_events.go     events and facts
//	write_names.go      stores, and the kinds of events
//	write_texts.go      texts, and their words
//	write_tables.go     customers, subscriptions, charges
//	write_letters.go    dead letters, and those that were sent again
//	prune.go            removes what is too old
//	live.go             Stream: rows as they come
//	query.go            lists and pages
//	query_events.go     events, and what happened since a time
//	query_hours.go      events and texts by the hour
//	query_texts.go      texts, and numbers of flows
//	query_search.go     searches for texts and customers
//	query_customers.go  one customer
//	query_letters.go    dead letters
//
// The content is a function of the topics and of the clock, whatever the order in which topics are read. Offsets are committed with the rows, so
// each record has its effect once. What Kafka deletes by a tombstone is deleted here, and overwritten. Of events only what a list shows is
// stored, without e-mails, names, numbers and links; Place says where the record is.
//
// Queries, of Model; all take a context first:
//
//	Overview(store, since) Overview
//	Hours(store, since) []Hour
//	Events(EventFilter) Page[Event]
//	EventTypes(store) []EventType
//	Texts(TextFilter) Page[Text]
//	Text(id) TextLife                          ErrNotFound
//	Customers(store, query, limit) []Customer
//	Customer(store, id, limit) CustomerPage    ErrNotFound
//	Flows(store, since, zone) []FlowCount
//	DeadLetters(DeadLetterFilter) Page[DeadLetter]
//	DeadLetterCounts(store) []DeadLetterCount
//	Subscribe(store) *Stream of Live
//	Progress() Progress
package readmodel
