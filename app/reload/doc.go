// Package reload loads the configuration of a running process again, when it is asked to or when a file of it changes, and passes on what
// differs from the one in force. What is taken up, and how, is up to package app.
//
//	reload.go  Loop: when to load, what differs, what is logged
package reload
