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
	commands map[string]*arrived  // by command id
	last     map[string]int64     // the last new charge of each customer and topic
	charges  map[string]time.Time // the first arrival
	disorder []string
}

// arrived is a command, and each of its arrivals.
type arrived struct {
	charge   string
	arrivals []*arrival
}

// arrival is one arrival of a command.
type arrival struct {
	at      time.Time
	done    time.Time // when an answer said that it was accepted; zero without such an answer
	refused bool      // with its request, as a whole: it comes again in a smaller one
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
	came := a.note(body)
	seen := &seenAnswer{ResponseWriter: out}
	a.server.ServeHTTP(seen, r) // panics when it does not answer
	if r.Context().Err() == nil {
		a.noteAnswer(came, seen)
	}
}

// note returns the arrivals of a request's commands, by command id.
func (a *arrivals) note(body []byte) map[string]*arrival {
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
	now, came := time.Now(), map[string]*arrival{}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, c := range batch.Commands {
		known := a.commands[c.ID]
		if known == nil {
			known = &arrived{charge: c.Data.Properties.Charge}
			a.commands[c.ID], a.charges[known.charge] = known, now
			a.noteFirst(c.Data.IDs["registered"]+" "+topicOf(c.Data.Properties.Status), known.charge)
		}
		came[c.ID] = &arrival{at: now}
		known.arrivals = append(known.arrivals, came[c.ID])
	}
	return came
}

// noteFirst compares a command that arrives for the first time with the last one of its customer and topic.
func (a *arrivals) noteFirst(of, charge string) {
	number, _ := strconv.ParseInt(charge, 10, 64)
	if number < a.last[of] {
		a.disorder = append(a.disorder, of+": "+charge+" after a later one")
	}
	a.last[of] = max(a.last[of], number)
}

// noteAnswer notes which commands of a request an answer accepts, or that it refuses all.
func (a *arrivals) noteAnswer(came map[string]*arrival, seen *seenAnswer) {
	var answer struct {
		Results []struct {
			Success bool   `json:"success"`
			ID      string `json:"command_id"`
		} `json:"results"`
	}
	_ = json.Unmarshal(seen.body.Bytes(), &answer)
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, c := range came {
		c.refused = seen.status == http.StatusForbidden
	}
	for _, r := range answer.Results {
		if c := came[r.ID]; c != nil && r.Success {
			c.done = time.Now()
		}
	}
}

// again is a command that was sent again, other than in a smaller request.
type again struct {
	charge   string
	before   time.Time // when it was sent before, or when that was answered
	now      time.Time
	accepted bool // an answer had said that it was accepted
}

// repeated returns how many commands came, and those that came again.
func (a *arrivals) repeated() (all int, repeated []again) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, c := range a.commands {
		var last again
		for _, one := range c.arrivals {
			if last.now = one.at; !last.before.IsZero() {
				repeated = append(repeated, last)
			}
			switch {
			case !one.done.IsZero():
				last = again{charge: c.charge, before: one.done, accepted: true}
			case !last.accepted && one.refused:
				last = again{}
			case !last.accepted:
				last = again{charge: c.charge, before: one.at}
			}
		}
	}
	return len(a.commands), repeated
}

// since returns how many charges have arrived since a time.
func (a *arrivals) since(then time.Time) (count int) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, at := range a.charges {
		if at.After(then) {
			count++
		}
	}
	return count
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

	status int
	body   bytes.Buffer
}

// WriteHeader is part of http.ResponseWriter.
func (s *seenAnswer) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
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
