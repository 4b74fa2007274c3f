// Package access decides who may use the console, and protects its requests and responses.
//
//	person.go   Person, Role; who sends the request of a context
//	form.go     what the page for logging in and a refusal show
//	headers.go  the headers of every response
package access
