// Package inspect has the commands that show what happened, happens or would happen.
//
//	commands.go        the commands, and what they share
//	customer.go        customer
//	customer_print.go  a timeline as a table
//	explain.go         explain
//	explain_print.go   an explanation as text
//	tail.go            tail
package inspect
