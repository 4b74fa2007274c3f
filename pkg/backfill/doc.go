// Package backfill reads what a store has through Recharge's API and writes it to recharge.webhooks, for the transformer to apply: all of
// it ([Import]), or what changed since a time ([Backfill]).
//
//	records.go   the raw records of customers and resources
package backfill
