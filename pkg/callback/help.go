package callback

import (
	"cmp"
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
	id := sha256.Sum256([]byte(store + "\n" + number + "\n" + cmp.Or(c.ID, c.At.UTC().Format(time.RFC3339Nano))))
	customer := replier(store, number)
	t := subscriber.Trigger{
		ID: hex.EncodeToString(id[:16]), Store: store, Flow: flow.Help, RechargeCustomerID: customer, Cause: store + "/" + customer + "/" + string(flow.Help),
		OccurredAt: now.UTC(), StaleAt: now.UTC().Add(flow.RuleOf(flow.Help).Stale.After), Items: []string{"customer/" + customer},
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

// replier stands for the customer of a number, who is not known: a hash of 19 digits that begins with 9. Recharge's own ids are far
// shorter.
func replier(store, number string) string {
	sum := sha256.Sum256([]byte(store + "\n" + number))
	return fmt.Sprintf("9%018d", binary.BigEndian.Uint64(sum[:8])%1_000_000_000_000_000_000)
}
