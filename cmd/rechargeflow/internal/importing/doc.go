// Package importing has the commands that read a store through Recharge's API.
//
//	import.go    import: all of it
//	known.go     what an import that reconciles compares with Recharge
//	backfill.go  backfill: what changed since a time
//	job.go       what both need: the store, its API, the brokers, the directory
//	report.go    what they print
package importing
