// Package deadletter is what a record becomes that a role could not work on, and how it is sent to that role once more.
//
//	letter.go    Letter: the record as it was, and what became of each attempt; its headers
//	redrive.go   Redrive: a letter on its way back to its role, which names the letter
//	search.go    Search: a role's letters, and how often each was sent to it once more
//	replay.go    Replay: count them, then send them, not too fast
//
// A record's way, for a role r; partition numbers stay the same all along, since that is where a customer's order is kept:
//
//	recharge.webhooks 3/17 --rejected--> recharge.deadletter.r 3/0 --replay--> recharge.redrive.r 3/0 --rejected--> recharge.deadletter.r 3/1
//
// Each of these has the key, the bytes and the headers of the first. What the later ones add begins with "deadletter_" or
// "redrive_".
package deadletter
