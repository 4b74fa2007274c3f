// Package credentials reads passwords, tokens, certificates and authorities again for each connection, so that they can be
// replaced while the process runs. What can't be read is replaced by what was read last, with a warning once a minute.
//
//	reload.go   reloaded, a value that is read again and keeps its last content
//	secret.go   Secret: a password or token from memory or from a file
//	command.go  Command: a token from the output of a program
//	token.go    the form and the expiry of a token
//	tls.go      TLSFiles: authorities and client certificate
package credentials
