package faults_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

// arrivals is a proxy before Bloomreach that records when each command arrived and whether its answer said that it was accepted.
type arrivals struct {
	server   *bloomreachtest.Server
	url      string
	mutex    sync.Mutex
	commands map[string]*arrived // by command id
	last     map[string]int64    // the last new charge of each customer and topic
	charges  map[string]time.Time
	disorder []string
}

// arrived is a command, each time that it arrived.
type arrived struct {
	charge string
	at     []time.Time
	done   []time.Time // when an answer said that it was accepted; zero without such an answer
}

func newArrivals(t *testing.T, server *bloomreachtest.Server) *arrivals {
	t.Helper()
	a := &arrivals{server: server, commands: map[string]*arrived{}, last: map[string]int64{}, charges: map[string]time.Time{}}
	proxy := httptest.NewServer(a)
	t.Cleanup(proxy.Close)
	a.url = proxy.URL
	return a
}

// ServeHTTP passes a request on, and its answer back.
func (a *arrivals) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller was killed
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.note(body)
	seen := &seenAnswer{ResponseWriter: out}
	a.server.ServeHTTP(seen, r) // panics when it does not answer
	if r.Context().Err() == nil {
		a.noteAnswer(seen.body.Bytes())
	}
}

func (a *arrivals) note(body []byte) {
	var batch struct {
		Commands []struct {
			ID   string `json:"command_id"`
			Data struct {
				IDs        map[string]string `json:"customer_ids"`
				Properties struct {
					Charge string `json:"charge_id"`
					Status string `json:"status"`
				} `json:"properties"`
			} `json:"data"`
		} `json:"commands"`
	}
	_ = json.Unmarshal(body, &batch) // the simulator refuses a body that is not JSON
	now := time.Now()
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, c := range batch.Commands {
		known := a.commands[c.ID]
		if known == nil {
			known = &arrived{charge: c.Data.Properties.Charge}
			a.commands[c.ID], a.charges[known.charge] = known, now
			a.noteFirst(c.Data.IDs["registered"]+" "+topicOf(c.Data.Properties.Status), known.charge)
		}
		known.at, known.done = append(known.at, now), append(known.done, time.Time{})
	}
}

// noteFirst compares a command that arrives for the first time with the last one of its customer and topic.
func (a *arrivals) noteFirst(of, charge string) {
	number, _ := strconv.ParseInt(charge, 10, 64)
	if number < a.last[of] {
		a.disorder = append(a.disorder, of+": "+charge+" after a later one")
	}
	a.last[of] = max(a.last[of], number)
}

// noteAnswer notes which commands an answer accepts. They are the last that arrived with their id: a process sends none twice at once, and
// two processes do so only where one is a zombie, whose request is not answered.
func (a *arrivals) noteAnswer(body []byte) {
	var answer struct {
		Results []struct {
			Success bool   `json:"success"`
			ID      string `json:"command_id"`
		} `json:"results"`
	}
	_ = json.Unmarshal(body, &answer)
	now := time.Now()
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, r := range answer.Results {
		if c := a.commands[r.ID]; c != nil && r.Success {
			c.done[len(c.done)-1] = now
		}
	}
}

// again is a command that was sent again although an answer had said that it was accepted.
type again struct {
	charge        string
	accepted, now time.Time
}

// repeated returns how many commands came, how many of those came again because they had no answer, and those that came again although they
// had one.
func (a *arrivals) repeated() (all, unanswered int, answered []again) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, c := range a.commands {
		var accepted time.Time
		for i, at := range c.at {
			switch {
			case i == 0:
			case accepted.IsZero():
				unanswered++
			default:
				answered = append(answered, again{charge: c.charge, accepted: accepted, now: at})
			}
			if !c.done[i].IsZero() {
				accepted = c.done[i]
			}
		}
	}
	return len(a.commands), unanswered, answered
}

// topicOf is the kind of topic in which a status comes.
func topicOf(status string) string {
	if strings.Contains(" paid created ", " "+status+" ") {
		return "events"
	}
	return "facts"
}

// seenAnswer is an answer on its way.
type seenAnswer struct {
	http.ResponseWriter

	body bytes.Buffer
}

// Write is part of http.ResponseWriter.
func (s *seenAnswer) Write(p []byte) (int, error) {
	s.body.Write(p)
	return s.ResponseWriter.Write(p)
}

// Hijack is part of http.Hijacker: the simulator resets connections.
func (s *seenAnswer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(s.ResponseWriter).Hijack()
}
