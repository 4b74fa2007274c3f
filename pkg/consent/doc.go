// Package consent decides whether a store may text a number. It has no clock.
//
// A change is what one person or operator decided about one number at one time. Changes are records of recharge.consent, and each
// has a key of its own: so compaction removes none but those that were written twice, and the order in which records are written
// makes no difference. Of the changes of a number the newest by source time holds. On a tie the number is opted out.
//
//	decide.go   changes that are needed to give a number a status; publishes changes
//	change.go    Change, its record and its key
//	order.go     which changes repeat an event
//	keywords.go  what a reply such as STOP means
//	mode.go      Mode: how a store asks for consent
//	table.go     Table, which knows whom the stores may text; Topic, all changes
//	csv.go       ReadCSV, WriteCSV: lists of other platforms
package consent
