// Package console serves the console over HTTP: the JSON API below /api/v1, and the pages. It has the listener and the order of what a request
// passes; packages api, pages and access add what is behind it. It knows nothing of their content.
//
//	server.go   Server: the port, limits of requests, the stop
//	site.go     Site: what requests are answered with, which may change while the port is open
//	measure.go  the metrics of requests, and what happens to a panic
package console
