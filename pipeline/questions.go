package pipeline

import (
	"context"
	"strings"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Wanted is a question to the API about a customer.
type Wanted = subscriber.Question

// lookupRowUnreadable is the outcome of a question whose row is of no use but for its key.
const lookupRowUnreadable = "row_unreadable"

func questionOf(of whose, ask subscriber.Ask) Wanted {
	return Wanted{Ask: ask, Store: of.settings.Store, Customer: of.customer}
}

// want notes questions to the API. A row keeps each until its answer came.
func (t *transform) want(of whose, raw kafka.Record, asks ...subscriber.Ask) error {
	for _, ask := range asks {
		w := questionOf(of, ask)
		if t.rows.Get(w.Key()) != nil {
			continue // asked already: the answer belongs to that question, and is no older than its Due
		}
		w.Traceparent = raw.Header(HeaderTraceparent)
		if err := w.Keep(t.rows); err != nil {
			return err
		}
		t.wanted = append(t.wanted, w)
	}
	return nil
}

// wantAgain has a question asked whose row has been there before. One that can't be read is asked as far as it is known:
// nobody else would take it out, and what waits for it would for ever.
func (t *Transformer) wantAgain(partition int, key, row []byte) {
	w, whole, ok := subscriber.ReadQuestion(key, row)
	if !whole {
		t.log.Error("a question to the API can't be read from its row; it is asked as its key says", zap.Int("partition", partition),
			zap.ByteString("row", key), zap.Bool("asked", ok))
		t.metrics.Lookup(w.Store, string(w.Kind), lookupRowUnreadable)
	}
	if ok {
		t.asker.Want(partition, w)
	}
}

// unanswered takes out the question to which an answer was rejected: nobody would ask it again as long as its row is there.
func (t *transform) unanswered(of whose, raw kafka.Record, result Result) {
	if result.Fate.Outcome != OutcomeRejected || raw.Header(HeaderOrigin) != OriginLookup {
		return
	}
	l, err := t.decoder.Lookup(raw.Value)
	if err != nil {
		return
	}
	key := questionOf(of, askOf(l)).Key()
	if w, _, ok := subscriber.ReadQuestion(key, t.rows.Get(key)); ok && w.Attempt <= l.Attempt { // else it was asked again
		t.rows.Set(key, nil)
	}
}

func askOf(l recharge.Lookup) subscriber.Ask {
	return subscriber.Ask{Kind: subscriber.AskKind(l.For), ChargeID: l.ChargeID, Attempt: l.Attempt}
}

// spoilt rejects an answer that can't be read, and has asked again what it may have answered.
func (t *transform) spoilt(ctx context.Context, settings subscriber.Settings, raw kafka.Record, cause error) (Result, error) {
	result := rejected(ReasonMalformed, cause)
	customer, ours := strings.CutPrefix(string(raw.Key), settings.Store+"/")
	if !ours || raw.Header(HeaderOrigin) != OriginLookup {
		return result, nil
	}
	again, nameless, err := subscriber.AskSpoilt(t.rows, settings.Store, customer, raw.Value, receivedOrWritten(raw))
	if err != nil {
		return Result{}, err
	}
	t.wanted = append(t.wanted, again...)
	if !nameless {
		return result, nil
	}
	of := whose{settings: settings, customer: customer}
	memory, err := t.recall(of)
	if err != nil {
		return Result{}, err
	}
	result.Released, err = t.release(ctx, of, memory.Asked(), ReasonCustomerUnreadable)
	return result, err
}
