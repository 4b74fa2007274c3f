package subscriber

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// QuestionRows is how the keys of those rows begin which keep a question to the API until its answer came:
//
//	ask/{store}/{customer}/{kind}/{charge}
const QuestionRows = "ask/"

// Question is an Ask about a customer of a store.
type Question struct {
	Ask
	Store       string `json:"-"`
	Customer    string `json:"-"`
	Traceparent string `json:"traceparent,omitempty"` // of the record that it came from
	// Spoilt is how many answers came that can't be read.
	Spoilt int `json:"spoilt,omitempty"`
}

// Key is that of its row.
func (q Question) Key() []byte {
	return []byte(QuestionRows + q.Store + "/" + q.Customer + "/" + string(q.Kind) + "/" + q.ChargeID)
}

// Keep writes its row.
func (q Question) Keep(rows Rows) error {
	row, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("encode question: %w", err)
	}
	rows.Set(q.Key(), row)
	return nil
}

// ReadQuestion reads a row. Where its value makes no sense, whole is false, and the question is what the key says; of a key
// that makes none ok is false: no answer would find that row.
func ReadQuestion(key, row []byte) (q Question, whole, ok bool) {
	parts := strings.SplitN(strings.TrimPrefix(string(key), QuestionRows), "/", 4)
	if len(parts) < 4 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return Question{}, false, false
	}
	whole = json.Unmarshal(row, &q) == nil
	if !whole {
		q = Question{}
	}
	q.Store, q.Customer, q.Kind, q.ChargeID = parts[0], parts[1], AskKind(parts[2]), parts[3]
	return q, whole, true
}

// Questions are those about a customer which have no answer yet.
func Questions(rows Rows, store, customer string) []Question {
	var open []Question
	for key, row := range rows.Scan([]byte(QuestionRows + store + "/" + customer + "/")) {
		if q, _, ok := ReadQuestion(key, row); ok {
			open = append(open, q)
		}
	}
	return open
}

// AskSpoilt takes in an answer about a customer that can't be read. It may have answered whatever was due, of the kind that it
// says it is for, if it says that: those are to be asked again, some time later. A question that was spoilt too often counts as
// answered, since the next time would be no better: nameless says that this is who the customer is.
func AskSpoilt(rows Rows, store, customer string, value []byte, at time.Time) (again []Question, nameless bool, err error) {
	kind := saidKind(value)
	for _, q := range Questions(rows, store, customer) {
		if q.Due.After(at) || kind != "" && q.Kind != kind {
			continue
		}
		delay, more := spoiltDelay(q.Spoilt)
		if !more {
			rows.Set(q.Key(), nil)
			nameless = nameless || q.Kind == AskIdentity
			continue
		}
		q.Spoilt++
		if err := q.Keep(rows); err != nil { // its Due stays: what answers it is no older than that
			return nil, false, err
		}
		q.Due = at.Add(delay)
		again = append(again, q)
	}
	return again, nameless, nil
}

func spoiltDelay(spoilt int) (delay time.Duration, again bool) {
	delays := []time.Duration{time.Minute, 10 * time.Minute, time.Hour}
	if spoilt >= len(delays) {
		return 0, false
	}
	return delays[spoilt], true
}

// saidKind is what an answer says it was asked for, "" where it doesn't.
func saidKind(value []byte) AskKind {
	var says struct {
		For AskKind `json:"asked_for"`
	}
	_ = json.Unmarshal(value, &says) // any part that can be read will do
	switch says.For {
	case AskIdentity, AskFlag, AskCancellation:
		return says.For
	}
	return ""
}
