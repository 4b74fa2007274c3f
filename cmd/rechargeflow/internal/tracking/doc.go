// Package tracking has the commands about events in Bloomreach.
//
//	commands.go  the group
//	preview.go   tracking preview
//	sample.go    tracking sample
package tracking
