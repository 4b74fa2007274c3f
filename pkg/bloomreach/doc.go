// Package bloomreach is a client of the tracking API of Bloomreach Engagement (formerly Exponea).
//
// A [Command] is one event of a customer ([NewEvent]) or an update of a customer's properties
// ([NewCustomerUpdate]). [Client.Batch] sends up to [MaxCommands] of them in one request and returns the outcome of each:
// accepted, rejected or unanswered. The client does not retry. The caller waits and sends the same commands again: their
// bytes never vary, so Bloomreach's deduplication recognises them
// (https://documentation.bloomreach.com/engagement/docs/imports-technical-reference).
//
//	auth.go         the credentials: private key or public token
//	client.go       Config and New
//	command.go      Command, Event, CustomerUpdate
//	validate.go     checks customer ids and numbers of a command
//	properties.go   Properties: sets and encodes properties, leaves out absent values
//	encode.go       ids, numbers and times in JSON
//	multiply.go     multiplies decimals
//	batch.go        Batch: sends, halves a refused batch
//	probe.go        Probe: are the credentials right?
//	blocked.go      a command that something in front of Bloomreach refuses
//	fit.go          cuts values to Bloomreach's limits
//	post.go         one HTTP request
//	budget.go       the rate of requests to an address, shared by its clients
//	breaker.go      a pause after requests that failed in a row
//	answer.go       what a whole answer means
//	answer_texts.go texts that are not about a command, and what to check
//	results.go      what the answer says about each command
//	unidentified.go results that name no command
//	answer_json.go  reads JSON of any shape
//	error.go        Error and its classes
//	redact.go       removes secrets and personal data from texts
//
// How answers are handled, and where:
//
//	answer                                              outcome                        file
//	200, a result has success true                      Accepted                       results.go
//	200, a result has success false                     Rejected                       results.go
//	200, results without command_id                     a failure is sent again alone  unidentified.go
//	200 without a result for a command                  *Error, ClassUnknown           results.go
//	200 with "success": false, 400, 413, 422            halved; alone: Rejected        batch.go
//	"Could not authenticate", "Access key not found",
//	"Not authorized ...", "Quota ...", with any status  *Error, ClassConfig            answer_texts.go
//	401, 407; JSON with 402, 403, 404, any other 4xx    *Error, ClassConfig            answer.go
//	a page instead of JSON with 2xx, 3xx or 4xx         halved; alone: Rejected if
//	                                                    others pass, else ClassConfig  blocked.go
//	408, 425, 429, 5xx, no answer                       *Error, ClassRetry             answer.go, post.go
//	"Too Many Requests", "API is unavailable",
//	with any status                                     *Error, ClassRetry             answer_texts.go
//
// The sources are https://documentation.bloomreach.com/engagement/reference/tips-and-best-practices,
// https://documentation.bloomreach.com/engagement/reference/tracking-api-error-messages and
// https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors.
//
// No error contains the project token, the key secret, the public token or an e-mail address, even when an answer
// repeats them.
package bloomreach
