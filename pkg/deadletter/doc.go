// Package deadletter stores records that a role rejected, and sends them to that role again.
//
//	letter.go    Letter: the record as it was, and its attempts; its headers
//	redrive.go   Redrive: the copy of a letter in the redrive topic of its role
//	search.go    Search: a role's letters, and how often each was sent again
//	replay.go    Replay: counts letters, then sends them at a limited rate
//
// A record's path, for a role r. The partition number stays the same, so that a customer's records stay in order:
//
//	recharge.webhooks 3/17 --rejected--> recharge.deadletter.r 3/0 --replay--> recharge.redrive.r 3/0 --rejected--> recharge.deadletter.r 3/1
//
// Each has the key, the value and the headers of the first. Added headers begin with "deadletter_" or "redrive_".
package deadletter
