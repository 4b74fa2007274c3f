// Package webhooksample has a sample body for each webhook topic in use, in both versions of Recharge's API, as Recharge sends it. The bodies
// are written by us: the files in bodies/{version}/{resource}_{action}.json are templates, whose values Body fills in.
//
//	sample.go  Body, and the values of a body
//	send.go    Request: a signed webhook
package webhooksample
