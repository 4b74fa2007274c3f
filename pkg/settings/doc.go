// Package settings has compacted topics as tables that each process has whole, and changes them. It also defines the rows of
// recharge.settings.
//
//	topic.go        Topic, what a topic holds; reads all rows once
//	rows.go         Rows, the content of a table at one moment
//	table.go        Table, which follows its topic
//	change.go       Change, which decides and writes while no other process does
//	setting.go      Settings, which is recharge.settings, and its kinds of rows
//	flows.go        the flows of a store, and their history
//	flow_change.go  changes of flows
//	sending.go      how a store sends: quiet hours, caps, pauses; their history and changes
//	imports.go      the last import of a store
//	segments.go     the segments of a store, and their changes
//	tokens.go       API tokens of the console, created and revoked
//	record.go       the records of a row
package settings
