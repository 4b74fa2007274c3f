package callback

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// help returns the record of a reply that asks for help: a trigger, so that its answer is claimed and sent like any text. The same reply
// has the same id, so it is answered once.
func (h *Handler) help(store string, c sms.Callback, now time.Time) (kafka.Record, error) {
	number, err := sms.Canonical(c.Number)
	if err != nil {
		return kafka.Record{}, err
	}
	at := c.At.UTC() // of the reply, whenever the provider passes it on: an old one is not answered
	if at.After(now) {
		at = now.UTC()
	}
	id := sha256.Sum256([]byte(store + "\n" + number + "\n" + cmp.Or(c.ID, c.At.UTC().Format(time.RFC3339Nano))))
	customer := replier(h.cfg.Stores[store].HelpKey, store, number)
	t := subscriber.Trigger{
		ID: hex.EncodeToString(id[:16]), Store: store, Flow: flow.Help, RechargeCustomerID: customer, Cause: store + "/" + customer + "/" + string(flow.Help),
		OccurredAt: at, StaleAt: at.Add(flow.RuleOf(flow.Help).Stale.After), Items: []string{"customer/" + customer},
		Recipient: subscriber.Recipient{Phone: number},
	}
	value, err := envelope.Encode(t)
	if err != nil {
		return kafka.Record{}, fmt.Errorf("encode trigger: %w", err)
	}
	event := envelope.Event{Schema: schemas.SMSTrigger, ID: t.ID, Store: store, Subject: "customer/" + customer, At: t.OccurredAt, Received: now}
	return kafka.Record{
		Topic: h.cfg.Topics.Receipts, Partition: kafka.ByKey, Key: []byte(store + "/" + customer), Value: value, Headers: event.Headers(), Time: now,
	}, nil
}

// replier stands for the customer of a number, who is not known: 18 digits that begin with 9, and fit into 64 bits. Recharge's own ids are far
// shorter. Without the key nobody can find the number by trying all numbers.
func replier(key []byte, store, number string) string {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(store + "\n" + number)) // never fails
	return fmt.Sprintf("9%017d", binary.BigEndian.Uint64(mac.Sum(nil))%100_000_000_000_000_000)
}
