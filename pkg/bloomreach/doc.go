// Package bloomreach is a client of the tracking API of Bloomreach Engagement (formerly Exponea).
//
// A [Command] is one event of a customer ([NewEvent]) or an update of a customer's properties
// ([NewCustomerUpdate]). [Client.Batch] sends up to [MaxCommands] of them in one request and says of each what became
// of it: accepted, rejected, or unanswered. There is no retry in here: the caller waits and calls again with the same
// commands, whose bytes never vary, so that Bloomreach's own deduplication recognises them
// (https://documentation.bloomreach.com/engagement/docs/imports-technical-reference).
//
// What an answer means, and where it is decided:
//
//	answer                                              becomes                        file
//	200, a result says success                          Accepted                       results.go
//	200, a result says why not                          Rejected                       results.go
//	200, a result says "not authorized ..."             *Error, ClassConfig            results.go
//	200 without a result for a command                  *Error, ClassUnknown           results.go
//	200 with "success": false, 400, 413, 422            halved; alone: Rejected        batch.go
//	400 "Could not authenticate", "Invalid project id"  *Error, ClassConfig            answer.go
//	401, 403, 404, any other 3xx and 4xx                *Error, ClassConfig            answer.go
//	408, 425, 429, 5xx, no answer at all                *Error, ClassRetry             answer.go, post.go
//
// The sources are https://documentation.bloomreach.com/engagement/reference/tips-and-best-practices,
// https://documentation.bloomreach.com/engagement/reference/tracking-api-error-messages and
// https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors.
//
// No error of this package contains the project token, the key secret, the public token or an e-mail address, even
// when Bloomreach or something in between repeats them in an answer.
package bloomreach
