// Package backtest plays a flow as it is drafted over the triggers that there were: which texts it would have sent to whom and when, and which
// not and why. It decides by the same code as the sms role, in simulated time, and sends nothing.
//
// Each call of the provider is taken to be accepted at once. Other flows are as they are set now: their texts absorb triggers and count towards limits.
// The consent of a number is that of the simulated time.
//
//	draft.go    Draft: a flow as it is drafted, and how its store sends
//	report.go   Report: what is counted, and examples
//	player.go   the triggers and revocations of one customer, in simulated time
//	outcome.go  the outcomes of a customer's texts
//	rows.go     the rows of a customer in memory
//	last.go     the last trigger of a customer
//	source.go   Source: reads recharge.sms-triggers
package backtest
