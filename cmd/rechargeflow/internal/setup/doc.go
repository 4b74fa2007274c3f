// Package setup has the command that connects a store to Recharge.
//
//	setup.go    rechargeflow setup: the token's scopes, the registrations
//	print.go    how registrations and repeated calls are printed
package setup
