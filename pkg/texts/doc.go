// Package texts decides on texts that are due: whether one is sent, held back or suppressed, and its words. It does no I/O and has no clock.
//
//	texts.go         Store: how a store sends its texts; Decide
//	stores.go        Stores: how each store sends
//	destination.go   Destination: what the provider does itself
package texts
