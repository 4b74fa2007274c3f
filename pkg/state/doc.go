// Package state stores keys and values per partition number for a stage with transactions. The source of truth is a compacted
// topic, the changelog; a copy on local disk makes reads fast. Keys and values are opaque to it.
//
//	store.go      Store: the directory, its lock, and its partitions
//	partition.go  Partition: between TakeOver and Release; how an overlay's rows get into the copy
//	overlay.go    Overlay: the state as one transaction sees it, and its Rows for the changelog
//	takeover.go   TakeOver: whether the copy can be continued, and reading what it lacks
//	origin.go     the random id of a changelog partition
//	mark.go       the position of a copy in its changelog
//	advance.go    how the position moves without the offsets of what was produced
//	disk.go       the files, by Pebble
//	metrics.go    Metrics, and Disk: sizes on disk
//	disk_full.go  what happens while the disk is full: nothing is written
//	close.go      Close, within a deadline
//	keys.go       the keys in the files
//
// A transaction:
//
//	o := partition.Begin()
//	o.Get(key); o.Set(key, value); o.Scan(prefix); o.ScanFrom(prefix, key)
//	rows, err := o.Rows() // into the transaction's outputs, all of them
//	o.Apply()             // when it is committed; o.Drop() when it is not
//
// Partition.TakeOver, Release and the overlays fit kafka.Transactions: TakeOver, Release and Transformed.Ended. The copy is
// never ahead of the changelog, and may lag: rows that are read again do not change. docs/adr/0011-state.md has the reasons.
package state
