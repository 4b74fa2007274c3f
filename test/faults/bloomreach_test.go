package faults_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/rechargeflow/rechargeflow/test/lab"
)

// bloomreachProxy is a proxy before Bloomreach that records when each command arrived.
type bloomreachProxy struct {
	mutex sync.Mutex
	came  map[string][]time.Time // by command id
}

func newBloomreachProxy(t *testing.T, l *lab.Lab) *bloomreachProxy {
	t.Helper()
	d := &bloomreachProxy{came: map[string][]time.Time{}}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller was killed
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		d.note(body)
		l.Bloomreach.ServeHTTP(out, r)
	}))
	t.Cleanup(server.Close)
	l.BloomreachURL = server.URL
	return d
}

func (d *bloomreachProxy) note(body []byte) {
	var batch struct {
		Commands []struct {
			ID string `json:"command_id"`
		} `json:"commands"`
	}
	_ = json.Unmarshal(body, &batch) // the simulator refuses a body that is not JSON
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, c := range batch.Commands {
		d.came[c.ID] = append(d.came[c.ID], time.Now())
	}
}

// repeated returns the number of commands that came more than once, and of all commands.
func (d *bloomreachProxy) repeated() (again, all int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, times := range d.came {
		again += len(times) - 1
	}
	return again, len(d.came)
}
