package readmodel

import (
	"context"
	"sync"
)

// maxLive limits the rows of a kind that one transaction shows to subscribers. A few times as many may wait for one of them.
const maxLive = 200

// Stream gets rows as they come.
type Stream struct {
	// C is closed by Close, and when the subscriber is too slow: then it lacks rows, and begins again.
	C     <-chan Live
	rows  chan Live
	store string
	hub   *hub
}

// hub has the streams.
type hub struct {
	mutex sync.Mutex
	all   map[*Stream]bool
}

func newHub() *hub { return &hub{all: map[*Stream]bool{}} }

// Subscribe returns a stream of the rows of a store, "" for all, from now on. Rows that are read while the topics are behind are left out.
func (m *Model) Subscribe(store string) *Stream {
	rows := make(chan Live, 4*maxLive)
	s := &Stream{C: rows, rows: rows, store: store, hub: m.live}
	m.live.mutex.Lock()
	defer m.live.mutex.Unlock()
	m.live.all[s] = true
	return s
}

// Close ends a stream. It may be called twice.
func (s *Stream) Close() {
	s.hub.mutex.Lock()
	defer s.hub.mutex.Unlock()
	s.end()
}

func (s *Stream) end() {
	if s.hub.all[s] {
		delete(s.hub.all, s)
		close(s.rows)
	}
}

// wanted reports whether there is a stream.
func (h *hub) wanted() bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return len(h.all) > 0
}

func (h *hub) send(store string, row Live) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for s := range h.all {
		if s.store != "" && s.store != store {
			continue
		}
		select {
		case s.rows <- row:
		default:
			s.end()
		}
	}
}

// news are the rows that a transaction has written.
type news struct {
	rows  []Live
	texts []int64 // keys, each once
}

func (n *news) event(e Event) {
	if len(n.rows) < maxLive {
		n.rows = append(n.rows, Live{Event: &e})
	}
}

func (n *news) letter(l DeadLetter) {
	if len(n.rows) < maxLive {
		n.rows = append(n.rows, Live{DeadLetter: &l})
	}
}

func (n *news) text(key int64) {
	for _, known := range n.texts {
		if known == key {
			return
		}
	}
	if len(n.texts) < maxLive {
		n.texts = append(n.texts, key)
	}
}

// publish shows the rows of a transaction to subscribers.
func (w *writer) publish(ctx context.Context) error {
	for _, row := range w.newRows.rows {
		if row.Event != nil {
			w.live.send(row.Event.Store, row)
		} else {
			w.live.send(row.DeadLetter.Store, row)
		}
	}
	for _, key := range w.newRows.texts {
		rows, err := w.conn.QueryContext(ctx, selectTexts+" WHERE t.key = ?", key)
		if err != nil {
			return err
		}
		texts, err := collect(rows, w.scanText)
		if err != nil {
			return err
		}
		for i := range texts {
			w.live.send(texts[i].Store, Live{Text: &texts[i]})
		}
	}
	return nil
}
