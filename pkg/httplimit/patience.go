package httplimit

import (
	"errors"
	"net/http"
	"time"
)

// Patience writes a long answer to a client that may be slow: each piece must be taken within a time, else the connection is of no use any more.
type Patience struct {
	http.ResponseWriter

	control *http.ResponseController
	within  time.Duration
	wrote   bool
}

// NewPatience returns a Patience. End it when the answer is complete.
func NewPatience(w http.ResponseWriter, within time.Duration) *Patience {
	return &Patience{ResponseWriter: w, control: http.NewResponseController(w), within: within}
}

// Write writes a piece. A writer that knows no deadlines, such as a recorder, has none.
func (p *Patience) Write(piece []byte) (int, error) {
	if err := p.deadline(time.Now().Add(p.within)); err != nil {
		return 0, err
	}
	p.wrote = true
	return p.ResponseWriter.Write(piece)
}

// End sends what is left, for which the client has the same time, and lets the connection wait for its next request for as long as usual.
func (p *Patience) End() error {
	if !p.wrote { // a failure is answered later
		return nil
	}
	if err := p.deadline(time.Now().Add(p.within)); err != nil {
		return err
	}
	if err := p.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return p.deadline(time.Time{})
}

func (p *Patience) deadline(at time.Time) error {
	if err := p.control.SetWriteDeadline(at); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
