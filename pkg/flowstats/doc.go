// Package flowstats counts the outcomes of texts by flow and day.
//
// A text counts on the day on which it was planned: that of its first change in recharge.messages, in the time zone of its store. Everything about
// it counts on that day, also what happened later, such as its delivery or a payment. So each number is a share of the texts of the same day.
//
//	query.go    Query: what is counted, in plain values
//	numbers.go  Numbers and Row: what is counted
//	text.go     one text, from its changes and what followed it
//	counter.go  Counter: the texts of one partition; pure
//	source.go   Source: reads the topics
//	phones.go   who has a number that has opted out
package flowstats
