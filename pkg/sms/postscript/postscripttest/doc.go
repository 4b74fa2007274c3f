// Package postscripttest simulates Postscript's custom events. It refuses what Postscript refuses, and can be set to behave in other ways.
//
//	postscripttest.go   Postscript: the endpoint, its checks and its answers
package postscripttest
