// Command rechargeflow brings Recharge's webhooks to Bloomreach and into text messages. It has the flags, the exit codes and
// the printing; package app runs the process.
//
//	main.go                signals, the only exit; rechargeflow version
//	root.go                the commands; how an error is printed, and the exit code for it
//	settings.go            --config, and which configuration file is read
//	run.go                 rechargeflow run; GOMEMLIMIT from the container
//	config.go              rechargeflow config check, print, docs
//	addresses.go           rechargeflow webhooks addresses
//	pages.go               rechargeflow webhooks docs, flows docs
//	flows.go               rechargeflow flows: what its commands share
//	flows_show.go          rechargeflow flows list, show, preview
//	flows_edit.go          rechargeflow flows edit, activate, deactivate
//	flows_history.go       rechargeflow flows history, diff
//	flows_apply.go         rechargeflow flows apply, export
//	topics.go              rechargeflow topics plan, apply
//	deadletter.go          rechargeflow deadletter list, show
//	deadletter_replay.go   rechargeflow deadletter replay
//	deadletter_filter.go   the flags that select dead letters, and how a dead letter is named and printed
//	consent.go             rechargeflow consent show, opt-out, opt-in
//	consent_list.go        rechargeflow consent import, export
//	sms.go                 rechargeflow sms list, unknown, show
//	sending.go             rechargeflow sms status, set, pause, resume
//	quiethours.go          rechargeflow quiet-hours show, set
//	lag.go                 rechargeflow lag
//	lag_print.go           how lag is printed: by group and topic, by partition, as JSON
//	ready.go               rechargeflow ready
//	complete.go            completion of roles, stores and reasons in a shell
package main
