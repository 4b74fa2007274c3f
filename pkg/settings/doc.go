// Package settings has compacted topics as tables that each process has whole, and changes them.
//
//	topic.go   Topic, what a topic holds; reads all rows once
//	rows.go    Rows, the content of a table at one moment
//	table.go   Table, which follows its topic
//	change.go  Change, which decides and writes while no other process does
package settings
