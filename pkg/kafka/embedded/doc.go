// Package embedded runs a Kafka broker inside the process, for trials on one machine and for tests. It is kfake with topics
// and a data directory of its own.
//
//	embedded.go  Broker and Config
//	listen.go    the loopback addresses that it listens on and advertises
package embedded
