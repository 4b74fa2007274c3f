// Package httplimit limits what callers that nobody has verified yet can take from an HTTP server: connections and memory. When a
// limit is reached, the caller that has kept the server waiting for longest makes room for the newest. So callers that are slow on
// purpose can't keep out one that sends its request at once.
//
//	connections.go  Connections: how many are open
//	conn.go         one connection, and the answers that net/http gives without calling a handler
//	budget.go       Budget: how many bytes of request bodies are in memory
//	body.go         reads a body within a budget
//	patience.go     Patience: how long a slow client may take for a piece of a long answer
package httplimit
