// Package topology is the table of roles: which topics each consumes and writes, and in which consumer group. Stages, commands, checks and
// docs read it.
//
//	topology.go   Role, Topics, Group
package topology
