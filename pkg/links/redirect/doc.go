// Package redirect serves short links from its copy of recharge.links, and records who opens them.
//
//	in         GET /r/{code}; recharge.links
//	out        302 to the target of the link; a click in recharge.sms-receipts, in the partition of its text
//	guarantee  a link leads to the target that its text was claimed with, or to the shop's page, and to nothing that a request names
//	on failure 503 while the links were not read; a click that can't be written in time is dropped and counted
//
//	handler.go   Handler: the answers
//	table.go     Table: all links, by their ids
//	clicks.go    Clicks: holds clicks until it is known whose they are, and writes them
package redirect
