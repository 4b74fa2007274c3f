// Package wording puts values of webhooks into words that a customer reads in a text. It is pure.
//
//	greeting.go      names that a text may contain
//	plain_text.go    titles without HTML
//	products.go      several products
//	amount.go        amounts with the decimals and the symbol of their currency
//	interval.go      times between orders
//	charge_error.go  why a charge failed
package wording
