// Package texting has the commands about texts: flows, sms, quiet-hours, consent.
//
//	commands.go      the commands
//	flows.go         flows: what its commands share
//	flows_show.go    flows list, show, preview
//	flows_edit.go    flows edit, activate, deactivate
//	flows_history.go flows history, diff
//	flows_apply.go   flows apply, export
//	flows_stats.go   flows stats
//	flows_backtest.go  flows backtest
//	backtest_print.go  a report as text
//	sms.go           sms list, unknown, show
//	sending.go       sms status, set, pause, resume
//	quiethours.go    quiet-hours show, set
//	consent.go       consent show, opt-out, opt-in
//	consent_list.go  consent import, export
package texting
