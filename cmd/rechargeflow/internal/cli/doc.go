// Package cli is what the commands of rechargeflow share.
//
//	cli.go        CLI and groups of commands; which arguments are refused
//	errors.go     exit codes, and how an error is printed
//	print.go      printing of lines and JSON
//	url.go        the URL of the gateway in a flag
//	times.go      times and ages of flags
//	settings.go   --config, and which configuration file is read; the store that --store names
//	webhook.go    the body and the topic of a webhook that an operator names
//	complete.go   completion of roles, stores, topics and reasons in a shell
package cli
