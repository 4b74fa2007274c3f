// Package console_test uses the console of the whole binary with a headless Chromium, as marketers and operators do.
//
//	console_test.go   the story: log in, change a flow, activate it, watch a text, follow the customer, undo
//	pictures_test.go  the pictures of docs/console.md
package console_test
