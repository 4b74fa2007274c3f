// Package initial has the command that writes a first configuration. What it asks for, and in which words, is declared in package config.
//
//	init.go     rechargeflow init: the command, and what it prints about the next steps
//	answers.go  the values, from flags or from a terminal
//	file.go     the configuration file
//	secrets.go  which secrets the configuration needs, and whether it is valid with them
package initial
