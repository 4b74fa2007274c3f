package customerstate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// outcomeRowUnreadable is the outcome of a lookup request whose row can't be decoded; only its key is known.
const outcomeRowUnreadable = "row_unreadable"

func lookupKey(r recharge.LookupRequest) []byte {
	return Ref{r.Store, r.CustomerID}.key(lookupRows, "/"+string(r.Kind)+"/"+r.ChargeID)
}

// RequestLookup stores a request until it is answered, and queues it after the commit. If one with the same customer, kind and
// charge is pending, that one stays: its response serves both and is not older than the pending Due.
func (tx *Tx) RequestLookup(r recharge.LookupRequest) error {
	key := lookupKey(r)
	if tx.rows.Get(key) != nil {
		return nil
	}
	if err := tx.setJSON(key, r); err != nil {
		return fmt.Errorf("encode lookup request: %w", err)
	}
	tx.lookups = append(tx.lookups, r)
	return nil
}

// RequestLookups stores the requests of a decision, with the traceparent of their webhook.
func (tx *Tx) RequestLookups(traceparent string, requests ...recharge.LookupRequest) error {
	for _, r := range requests {
		r.Traceparent = traceparent
		if err := tx.RequestLookup(r); err != nil {
			return err
		}
	}
	return nil
}

// RemoveLookup removes the row of an answered request.
func (tx *Tx) RemoveLookup(r recharge.LookupRequest) {
	if key := lookupKey(r); tx.rows.Get(key) != nil {
		tx.set(key, nil)
	}
}

// RejectLookup removes the row of a request whose response was rejected, unless a later attempt is pending. A remaining row
// would prevent new requests.
func (tx *Tx) RejectLookup(answered recharge.LookupRequest) {
	key := lookupKey(answered)
	if r, _, ok := readLookup(key, tx.rows.Get(key)); ok && r.Attempt <= answered.Attempt {
		tx.RemoveLookup(answered)
	}
}

// Requested returns the stored request for a response. If a cancellation lookup is no longer pending, its response is used only
// to update subscriptions.
func (tx *Tx) Requested(answered recharge.LookupRequest) recharge.LookupRequest {
	key := lookupKey(answered)
	row := tx.rows.Get(key)
	pending, whole, _ := readLookup(key, row)
	switch {
	case row == nil && answered.Kind == recharge.LookupCancellation, pending.Attempt > answered.Attempt: // answered before
		return recharge.LookupRequest{Store: answered.Store, CustomerID: answered.CustomerID, Kind: recharge.LookupSubscriptions}
	case whole:
		return pending
	}
	return answered
}

// readLookup decodes a row. If the value can't be decoded, whole is false and the request is built from the key. ok is false if
// the key does not match a customer.
func readLookup(key, row []byte) (r recharge.LookupRequest, whole, ok bool) {
	ref, rest, ok := refOf(key, lookupRows)
	kind, charge, found := strings.Cut(rest, "/")
	if !ok || !found || kind == "" {
		return recharge.LookupRequest{}, false, false
	}
	err := decode(row, &r)
	if err != nil {
		r = recharge.LookupRequest{}
	}
	r.Store, r.CustomerID, r.Kind, r.ChargeID = ref.Store, ref.CustomerID, recharge.LookupKind(kind), charge
	return r, err == nil, true
}

// pendingLookups returns all requests of the partition, for the queue. A request that can't be decoded is built from its key:
// otherwise its row and the records parked for it would stay for ever.
func (tx *Tx) pendingLookups() (requests []recharge.LookupRequest, err error) {
	for key, row := range tx.scan([]byte(lookupRows)) {
		if _, err := bodyOf(row); errors.Is(err, ErrNewerRows) {
			return nil, fmt.Errorf("decode row %s: %w", key, err)
		}
		r, whole, ok := readLookup(key, row)
		if !whole {
			tx.store.Log.Error("decode lookup request failed, rebuilding it from its key", zap.Int("partition", tx.partition.number),
				zap.ByteString("row", key), zap.Bool("requested", ok))
			tx.store.Metrics.Lookup(r.Store, string(r.Kind), outcomeRowUnreadable)
		}
		if ok {
			requests = append(requests, r)
		}
	}
	return requests, nil
}

// BadAnswer handles a response about a customer that can't be decoded. Every request that is due and of the same kind (of any
// kind if the kind is unknown) may be the answered one: all are queued again for later. After four such responses a request
// counts as answered. unknown reports whether that was the lookup of the customer.
func (tx *Tx) BadAnswer(ref Ref, value []byte, at time.Time) (unknown bool, err error) {
	kind := kindOf(value)
	for key, row := range tx.scan(ref.key(lookupRows, "/")) {
		r, _, ok := readLookup(key, row)
		if !ok || r.Due.After(at) || kind != "" && r.Kind != kind {
			continue
		}
		delay, again := badAnswerDelay(r.BadAnswers)
		if !again {
			tx.set(key, nil)
			unknown = unknown || r.Kind == recharge.LookupCustomer
			continue
		}
		r.BadAnswers++
		if err := tx.setJSON(key, r); err != nil { // its Due stays: the answer is no older than that
			return false, fmt.Errorf("encode lookup request: %w", err)
		}
		r.Due = at.Add(delay)
		tx.lookups = append(tx.lookups, r)
	}
	return unknown, nil
}

func badAnswerDelay(before int) (delay time.Duration, again bool) {
	delays := []time.Duration{time.Minute, 10 * time.Minute, time.Hour}
	if before >= len(delays) {
		return 0, false
	}
	return delays[before], true
}

// kindOf returns the kind of a response that can't be decoded, "" if the kind can't be decoded either.
func kindOf(value []byte) recharge.LookupKind {
	var answer struct {
		Kind recharge.LookupKind `json:"kind"`
	}
	_ = json.Unmarshal(value, &answer) // as much as can be read
	if !answer.Kind.Known() {
		return ""
	}
	return answer.Kind
}
