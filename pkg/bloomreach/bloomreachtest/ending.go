package bloomreachtest

import (
	"net/http"

	"github.com/rechargeflow/rechargeflow/pkg/simtest"
)

// ending is how a request ends.
type ending int

const (
	answered ending = iota
	hanging         // no answer until the caller gives up
	reset           // RST instead of an answer, as of a machine that fails
	dropped         // an orderly end of the connection instead of an answer
)

// finish does what remains after serve. It holds no lock: a request that hangs is alone in it.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, end ending) {
	switch end {
	case answered:
	case hanging:
		simtest.Hang(r, s.closed)
	case reset:
		simtest.Reset(w)
	case dropped:
		simtest.Drop()
	}
}
