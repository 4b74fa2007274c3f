// Package segments has the commands about segments: customers who have received texts or clicked links, or have not.
//
//	commands.go  the commands, and what they share
//	define.go    segments create, list, delete
//	count.go     segments count
//	members.go   segments members, export
//	push.go      segments push
package segments
