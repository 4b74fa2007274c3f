// Package bloomreachtest simulates the tracking API of Bloomreach Engagement, for tests and trials.
//
// It refuses what Bloomreach's documentation says is refused, with the documented texts. It deduplicates and overwrites as
// documented. Where the documentation says nothing it is strict, and the text of the refusal ends with "(simulator)".
// Undocumented behaviour and faults can be switched on: see the methods in settings.go and limits.go.
//
// A [Server] starts with [New] and listens on the loopback interface; it is also an [net/http.Handler]. It accepts the
// project [ProjectToken], the private key [KeyID] with [KeySecret], and the public token [PublicToken].
//
//	server.go      one request, from arrival to answer
//	auth.go        checks route, project, credentials and headers
//	body.go        parses a batch
//	command.go     parses and checks a command
//	timestamp.go   parses and compares timestamps
//	profiles.go    stores customers and events, deduplicates
//	limits.go      limits whose size is not documented
//	answer.go      results and error bodies
//	failure.go     an answer that fails, or no answer
//	settings.go    what a test can switch on
//	faults.go      decides which fault applies to a request
//	received.go    what a test reads afterwards
//
// conformance_test.go lists each behaviour with its source.
package bloomreachtest
