package membership

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/partitions"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Source is the topics of a store.
type Source struct {
	Cluster kafka.Cluster
	Topics  topology.Topics
	Store   string
}

// customer is one of the customers who have a row.
type customer struct {
	row     subscriber.CustomerRow
	history *segment.History // nil without texts
}

// has reports whether a rule holds for the customer. It holds for nobody of whom nothing personal is known.
func (c *customer) has(rule segment.Rule, now time.Time) bool {
	r := c.row
	return r.Email+r.FirstName+r.LastName+r.Phone != "" && rule.Has(c.history, now)
}

// people are the customers of a partition, by Recharge's ID.
type people map[string]*customer

// open returns a reader of the topics.
func (s Source) open(more ...string) (*partitions.Reader, error) {
	return partitions.Open(s.Cluster, append([]string{s.Topics.Customers(), s.Topics.Messages()}, more...)...)
}

// read reads a partition. strangers is how many customers without a row have received texts.
func (s Source) read(ctx context.Context, reader *partitions.Reader, partition int) (found people, strangers int, err error) {
	found, unknown := people{}, map[string]bool{}
	err = s.each(ctx, reader, s.Topics.Customers(), partition, func(id string, r kafka.Record) error {
		delete(found, id)
		if r.Value == nil {
			return nil
		}
		c := &customer{}
		if err := json.Unmarshal(r.Value, &c.row); err != nil {
			return fmt.Errorf("decode customer %d/%d: %w", r.Partition, r.Offset, err)
		}
		found[id] = c
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	err = s.each(ctx, reader, s.Topics.Messages(), partition, func(id string, r kafka.Record) error {
		if isNotSent(r.Value) {
			return nil
		}
		var m message.Change
		if err := json.Unmarshal(r.Value, &m); err != nil {
			return fmt.Errorf("decode message %d/%d: %w", r.Partition, r.Offset, err)
		}
		c := found[id]
		if c == nil {
			unknown[id] = true
			return nil
		}
		if c.history == nil {
			c.history = &segment.History{}
		}
		c.history.Changed(segment.Change{ID: m.ID, Flow: m.Flow, Received: received(m.Status), At: m.At, ClickedAt: m.ClickedAt})
		return nil
	})
	return found, len(unknown), err
}

// each calls visit with the records of the store, and what is behind its name in their keys.
func (s Source) each(ctx context.Context, reader *partitions.Reader, topic string, partition int, visit func(rest string, r kafka.Record) error) error {
	return reader.Read(ctx, topic, partition, time.Time{}, func(r kafka.Record) error {
		if rest, ours := strings.CutPrefix(string(r.Key), s.Store+"/"); ours {
			return visit(rest, r)
		}
		return nil
	})
}

// received reports whether the provider has a text, and does not report it as undelivered.
func received(s message.Status) bool {
	return s == message.Accepted || s == message.Sent || s == message.Delivered
}

// isNotSent reports, without decoding it, whether a change is certainly of a text that was not sent. Half of all changes are.
func isNotSent(value []byte) bool {
	for _, status := range []message.Status{message.Planned, message.Claimed, message.Suppressed} {
		if bytes.Contains(value, []byte(`"status":"`+string(status)+`"`)) {
			return true
		}
	}
	return false
}
