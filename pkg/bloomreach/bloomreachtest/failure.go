package bloomreachtest

import (
	"cmp"
	"net/http"

	"github.com/rechargeflow/rechargeflow/pkg/simtest"
)

// Failure replaces the usual response by another one, or by none.
type Failure struct {
	Status     int
	Body       string // any text; [ErrorShape.Body] returns the documented ones
	Type       string // Content-Type; application/json when empty
	RetryAfter string // value of the header, none when empty; Bloomreach does not document it
	Hang       bool   // no answer until the caller gives up or the simulator closes
	Reset      bool   // the connection is reset instead of an answer
	// Applied executes the commands of a valid request before the failure: the caller can't know that they were accepted.
	// "Write requests: Go into a queue for later processing" (https://documentation.bloomreach.com/engagement/reference/about).
	Applied bool
}

// FirewallPage returns the answer of a firewall in front of Bloomreach to a request whose text it takes for an attack, as in
// https://github.com/postmanlabs/postman-app-support/issues/14215.
func FirewallPage() Failure {
	return Failure{
		Status: http.StatusForbidden, Type: "text/html",
		Body: "<html>\n<head><title>403 Forbidden</title></head>\n<body><h1>Request blocked</h1><p>Ray ID: 8a1b2c3d4e5f6789</p></body>\n</html>",
	}
}

// response is how a request ends.
type response int

const (
	sent    response = iota
	hanging          // no answer until the caller gives up
	reset            // RST instead of an answer, as from a machine that fails
	dropped          // the connection is closed in order instead of an answer
)

// write writes the response of a failure, if it has one.
func (f Failure) write(w http.ResponseWriter) response {
	switch {
	case f.Hang:
		return hanging
	case f.Reset:
		return reset
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	w.Header().Set("Content-Type", cmp.Or(f.Type, "application/json"))
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body)) // the caller may be gone
	return sent
}

// finish ends a request after serve. It holds no lock, so that a hanging request does not block others.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, end response) {
	switch end {
	case sent:
	case hanging:
		simtest.Hang(r, s.closed)
	case reset:
		simtest.Reset(w)
	case dropped:
		simtest.Drop()
	}
}
