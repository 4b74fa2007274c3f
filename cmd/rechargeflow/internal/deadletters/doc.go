// Package deadletters has the command deadletter.
//
//	list.go     deadletter list, show
//	replay.go   deadletter replay
//	filter.go   the flags that select dead letters, and how a dead letter is named and printed
package deadletters
