// Package api serves the JSON API of the console, under /api/v1: routes over service.Service. A new route is a row of a table and a path of
// openapi.yaml, which is served, too; a test fails if one is missing.
//
// Errors are problem details (RFC 9457). What may be changed by two people at a time has a version, which is its ETag; a change names it with
// If-Match or in its body.
//
//	api.go        API: mounts the routes, checks roles, answers
//	problem.go    errors as problem details
//	request.go    bodies, parameters and versions of requests
//	flows.go      routes of flows
//	sending.go    routes of how a store sends, and of consent
//	segments.go   routes of segments
//	operations.go routes of the operator's part
//	live.go       what happens, as Server-Sent Events
package api
