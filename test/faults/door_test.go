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

// door stands before Bloomreach and notes when each command came.
type door struct {
	mutex sync.Mutex
	came  map[string][]time.Time // by command id
}

func newDoor(t *testing.T, l *lab.Lab) *door {
	t.Helper()
	d := &door{came: map[string][]time.Time{}}
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

func (d *door) note(body []byte) {
	var batch struct {
		Commands []struct {
			ID string `json:"command_id"`
		} `json:"commands"`
	}
	_ = json.Unmarshal(body, &batch) // the simulator refuses what is none
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, c := range batch.Commands {
		d.came[c.ID] = append(d.came[c.ID], time.Now())
	}
}

// repeated returns how many commands came more than once, and how many came at all.
func (d *door) repeated() (again, all int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, times := range d.came {
		again += len(times) - 1
	}
	return again, len(d.came)
}
