// Package flowedit decides whether a change of a store's flows is valid, and says what it changes. Commands and the console change flows by it.
//
//	editor.go    Editor: which changes of a store are valid
//	draft.go     Draft: what to change of a flow
//	versions.go  a version of a flow, and what differs between two
package flowedit
