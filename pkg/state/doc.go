// Package state is the memory of whoever makes outputs in transactions: keys and values per partition number, whose truth is
// a compacted topic, the changelog, and whose copy on local disk is there to be read fast. What the keys and values are is
// others' business.
//
//	store.go      Store: the folder, its lock, and its partitions
//	partition.go  Partition: between TakeOver and Release; how an overlay's rows get into the copy
//	overlay.go    Overlay: the state as one transaction sees it, and its Rows for the changelog
//	takeover.go   TakeOver: whether the copy can be gone on from, and reading what it lacks
//	origin.go     the random id of a changelog partition
//	mark.go       what a copy is a copy of, and up to where
//	advance.go    how the position goes on without anybody knowing offsets
//	disk.go       the files, by Pebble; keys.go is what is in them
//
// A transaction:
//
//	o := partition.Begin()
//	o.Get(key); o.Set(key, value); o.Scan(prefix); o.ScanFrom(prefix, key)
//	rows, err := o.Rows() // into the transaction's outputs, all of them
//	o.Apply()             // when it became visible; o.Drop() when it did not
//
// Partition.TakeOver, Release and the overlays fit kafka.Transactions: TakeOver, Release and Transformed.Ended. The copy is
// never ahead of the changelog, and may lag: rows that are read again end as they are. docs/adr/0011-state.md says why it
// is so.
package state
