// Package webhookdocs writes docs/webhooks.md and docs/flows.md from what package subscriber decides on sample webhooks of each topic.
//
//	explain.go  Explain: what a topic produces
//	why.go      why a topic is used or not
//	pages.go    the pages
package webhookdocs
