// Package bloomreachtest is a simulator of the tracking API of Bloomreach Engagement, for tests and trials.
//
// It is honest: what the documentation says that Bloomreach refuses, it refuses, in the documented words; what
// Bloomreach deduplicates or does not overwrite, neither does it. Where the documentation is silent it is strict, and
// the text of the refusal says "(simulator)". What is documented nowhere, or goes wrong in real life, is a switch:
// see the methods in switches.go.
//
// A [Server] starts with [New] and listens on the loopback interface; it is also an [net/http.Handler]. It accepts the
// project [ProjectToken], the private key [KeyID] with [KeySecret], and the public token [PublicToken].
//
// One request goes through ServeHTTP in server.go, access.go, body.go, command.go, profiles.go, answer.go and ending.go, in
// this order; records.go is what a test asks afterwards. conformance_test.go lists each behaviour with its source.
package bloomreachtest
