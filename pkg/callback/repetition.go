package callback

import (
	"crypto/sha256"
	"sync"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// remembered is how many callbacks of a kind are remembered.
const remembered = 1 << 12

// repetitions remembers the last callbacks that were stored. One that is sent again has no effect, so it need not be stored again: else who has captured a
// callback whose signature does not expire could fill topics and the memory of the processes that read them.
//
// Reports of deliveries have their own memory: there are so many that they would push replies out of it.
type repetitions struct{ replies, reports memory }

func newRepetitions() *repetitions {
	return &repetitions{replies: memory{known: map[content]bool{}}, reports: memory{known: map[content]bool{}}}
}

// of returns the memory of a kind of callback.
func (r *repetitions) of(kind sms.CallbackKind) *memory {
	if kind == sms.CallbackDelivery {
		return &r.reports
	}
	return &r.replies
}

// content is the hash of the signed content of a callback.
type content [sha256.Size]byte

// contentOf returns that of a verified callback. Whatever else is in its request changes nothing.
func contentOf(store, provider string, r sms.CallbackRequest) content {
	hash := sha256.New()
	for _, part := range [][]byte{[]byte(store), []byte(provider), []byte(r.Query), r.Body} {
		sum := sha256.Sum256(part)
		_, _ = hash.Write(sum[:]) // never fails
	}
	return content(hash.Sum(nil))
}

// memory is a set of the last callbacks. It is safe for concurrent use.
type memory struct {
	mutex sync.Mutex
	known map[content]bool
	order []content // of known; next is the oldest one when it is full
	next  int
}

func (m *memory) has(c content) bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.known[c]
}

func (m *memory) add(c content) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	switch {
	case m.known[c]:
		return
	case len(m.order) < remembered:
		m.order = append(m.order, c)
	default:
		delete(m.known, m.order[m.next])
		m.order[m.next] = c
		m.next = (m.next + 1) % remembered
	}
	m.known[c] = true
}
