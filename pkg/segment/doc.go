// Package segment decides which customers are members of a segment: those who have received texts of flows, or clicked links in them, or have
// not. It does no I/O and has no clock.
//
//	received any in 30d and not clicked charge_failed
//
//	rule.go     Rule: conditions, joined by and and or
//	format.go   a rule as text
//	parse.go    Parse: text to rule
//	scan.go     the words of a text
//	history.go  History: what a customer has received and clicked; Rule.Has
package segment
