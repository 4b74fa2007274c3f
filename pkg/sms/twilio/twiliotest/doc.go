// Package twiliotest simulates Twilio's Messages resource. It refuses what Twilio refuses, with Twilio's codes, and can be set to behave in other
// ways. It signs callbacks as Twilio does.
//
//	twiliotest.go   Twilio: the resource, its checks and its answers
//	refusals.go     answers that Twilio gives for other reasons
//	callbacks.go    replies and changes of a status
package twiliotest
