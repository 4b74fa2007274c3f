// Package attentivetest simulates Attentive's custom events. It refuses what Attentive refuses, and can be set to behave in other ways.
//
//	attentivetest.go   Attentive: the endpoint, its checks and its answers
package attentivetest
