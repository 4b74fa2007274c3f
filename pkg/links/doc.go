// Package links shortens the links of a text and tells clicks of people from those of programs. It does no I/O and has no clock; package
// redirect serves the short links.
//
//	find.go      finds http and https URLs in a text
//	shorten.go   Shortener: puts short links in their place
//	code.go      Code: the secret part of a short link, and its id
//	probe.go     a path that is no short link, for rechargeflow doctor
//	signs.go     the signs of a click that no person made
package links
