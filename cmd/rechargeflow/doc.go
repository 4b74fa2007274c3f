// Command rechargeflow brings Recharge's webhooks to Bloomreach and into text messages. It has the flags, the exit codes and
// the printing; package app runs the process.
//
//	main.go        signals, the only exit; rechargeflow version
//	root.go        the commands
//	run.go         rechargeflow run; GOMEMLIMIT from the container
//	config.go      rechargeflow config check, print, docs
//	addresses.go   rechargeflow webhooks addresses
//	send.go        rechargeflow webhooks send
//	repair.go      rechargeflow webhooks repair
//	pages.go       rechargeflow webhooks docs
//	topics.go      rechargeflow topics plan, apply
//	lag.go         rechargeflow lag
//	lag_print.go   how lag is printed: by group, by partition, as JSON
//	man.go         rechargeflow man
//	ready.go       rechargeflow ready
//	internal/      cli: what the commands share; texting: flows, sms, quiet-hours, consent; deadletters: deadletter;
//	               tracking: tracking; initial: init; diagnosis: doctor; setup: setup; importing: import, backfill; inspect: customer, explain, tail
package main
