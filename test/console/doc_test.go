// Package console_test uses the console of the whole binary with a headless Chromium, as marketers and operators do.
//
//	system_test.go    the running system: its roles, people and webhooks
//	desk_test.go      a person at a tab, and what can be seen outside of the pages
//	console_test.go   the story: log in, change a flow, activate it, watch a text, follow the customer, undo
//	operator_test.go  hold texts, record what happened to one, send dead letters again, push a segment, restore a version
//	pictures_test.go  the pictures of docs/console.md
//	keyboard_test.go  the same without a mouse
//	viewer_test.go    what a viewer sees, and may not do
//	offline_test.go   a page whose console is away
package console_test
