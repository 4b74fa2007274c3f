// Package backfill reads what a store has through Recharge's API and writes it to recharge.webhooks, for the transformer to apply: all of
// it ([Import]), or what changed since a time ([Backfill]).
//
//	import.go     Import and its phases; charges
//	customers.go  customers with all their subscriptions
//	vanished.go   customers whom Recharge does not know any more, and deleted charges
//	backfill.go   Backfill
//	lost.go       what a backfill can't bring back
//	run.go        what both are: pages of lists, each saved with the progress after it
//	source.go     calls of the API, repeated where that helps
//	progress.go   how far a run is
//	directory.go  the directory with the progress
//	records.go    the raw records of customers and resources
package backfill
