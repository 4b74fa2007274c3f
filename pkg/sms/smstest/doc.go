// Package smstest simulates SMS providers and tests drivers against them. A simulator checks every request strictly and can be set to fail.
// It records every accepted text and does not drop repeated ones, so that tests detect a text sent twice.
//
//	server.go     Server: what the simulators of all providers share, and how they can be set to behave
//	vendors.go    behaviours of real providers
//	smstest.go    Gateway: a simulator with the protocol of the driver webhook
//	callback.go   callbacks of such a gateway
//	suite.go      Suite: what each driver must do, whatever its provider does
//	cases.go      the cases of Suite
//	request.go    a driver's request, as text and compared with a provider's specification
package smstest
