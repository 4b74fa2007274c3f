// Package sender sends claimed texts: it calls the SMS driver of a store and writes what came of the call as a receipt. It never sends a
// text twice: each claim is given to it once, after its transaction was committed, and it does not repeat a call.
//
//	sender.go   Sender: which stores have room, and the end of all calls
//	lane.go     lane: the calls of one store; how many at once, and when it is paused
//	pace.go     pace: how many calls a second its provider takes
//	refusal.go  whether a number is refused, or the store
//	call.go     one text: its deadline, its call, its receipt
//	outcome.go  what comes of a call
//	claims.go   Claims: a file of the texts that were sent, for the embedded broker
//
// A transaction reserves room before it claims. A store whose provider is down, slow or refuses everything has little or none, so that its texts
// stay planned, and no other store's texts wait for them.
package sender
