// Package people has the commands about the people of the console.
//
//	people.go    console password, console people add, console people list
//	password.go  asks for a password
package people
