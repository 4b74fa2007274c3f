package redirect

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
)

// Link is a row of recharge.links.
type Link struct {
	Store, CustomerID string
	MessageID         [32]byte
	Partition, Number int
	Target            string // sealed
	ClaimedAt         time.Time
	ExpiresAt         time.Time

	clicks atomic.Int32 // in this process
}

// id is that of a link: see links.Code.
type id [16]byte

// Table has all links. It follows recharge.links by less than a second, and may be used by many goroutines. It has about 400 bytes of memory
// per link.
type Table struct {
	topic string
	log   *zap.Logger
	ready chan struct{}

	mutex  sync.RWMutex
	rows   map[id]*Link
	stores map[string]string // names, each once in memory
	failed int
}

// NewTable returns a table of the topic recharge.links, under its full name. It is empty and not ready until Run has read the topic.
func NewTable(topic string, log *zap.Logger) *Table {
	return &Table{topic: topic, log: log, ready: make(chan struct{}), rows: map[id]*Link{}, stores: map[string]string{}}
}

// Run reads the topic until ctx ends, which is no error. It retries while brokers do not answer or the topic does not exist. It fails if the
// topic was deleted and created again. Call it once.
func (t *Table) Run(ctx context.Context, cluster kafka.Cluster) error {
	return kafka.Follower{Topic: t.topic, Records: t.Apply, AtEnd: t.AtEnd, Log: t.log}.Run(ctx, cluster)
}

// AtEnd makes the table ready: the topic was read to its end. Call it once.
func (t *Table) AtEnd() { close(t.ready) }

// IsReady reports whether the topic was read to its end.
func (t *Table) IsReady() bool {
	select {
	case <-t.ready:
		return true
	default:
		return false
	}
}

// Len returns the number of links, those included that have expired and are not removed yet.
func (t *Table) Len() int {
	t.mutex.RLock()
	defer t.mutex.RUnlock()
	return len(t.rows)
}

// Trouble returns an error if rows could not be read: their links lead to the shop's page.
func (t *Table) Trouble() error {
	t.mutex.RLock()
	defer t.mutex.RUnlock()
	if t.failed > 0 {
		return fmt.Errorf("%d rows of %s could not be read: their links lead to the shop's page; see the log", t.failed, t.topic)
	}
	return nil
}

// Find returns the link with an id, nil if there is none.
func (t *Table) Find(linkID string) *Link {
	key, err := parseID(linkID)
	if err != nil {
		return nil
	}
	t.mutex.RLock()
	defer t.mutex.RUnlock()
	return t.rows[key]
}

// Apply changes the table by the next records of a partition.
func (t *Table) Apply(records []kafka.Record) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, r := range records {
		if err := t.apply(r); err != nil {
			t.failed++
			t.log.Error("read short link failed, it leads to the shop's page", zap.String("topic", r.Topic), zap.Int("partition", r.Partition), zap.Int64("offset", r.Offset), zap.Error(err))
		}
	}
}

func (t *Table) apply(r kafka.Record) error {
	_, linkID, _ := strings.Cut(string(r.Key), "/")
	key, err := parseID(linkID)
	if err != nil {
		return err
	}
	if r.Value == nil {
		delete(t.rows, key)
		return nil
	}
	var row message.LinkRow
	if err := json.Unmarshal(r.Value, &row); err != nil {
		return errors.New("the value is no JSON of a link") // without the target
	}
	link := &Link{
		Store: t.store(row.Store), CustomerID: row.RechargeCustomerID, Partition: r.Partition, Number: row.Number, Target: row.Target,
		ClaimedAt: row.ClaimedAt, ExpiresAt: row.ExpiresAt,
	}
	if n, err := hex.Decode(link.MessageID[:], []byte(row.MessageID[:min(len(row.MessageID), 2*len(link.MessageID))])); err != nil || n != len(link.MessageID) {
		return errors.New("message_id is no id of a message")
	}
	t.rows[key] = link
	return nil
}

// store returns the name of a store that is shared by all its links.
func (t *Table) store(name string) string {
	if _, known := t.stores[name]; !known {
		t.stores[name] = name
	}
	return t.stores[name]
}

func parseID(text string) (key id, err error) {
	if len(text) != 2*len(key) {
		return key, errors.New("the key is no id of a link")
	}
	if _, err := hex.Decode(key[:], []byte(text)); err != nil {
		return key, errors.New("the key is no id of a link")
	}
	return key, nil
}
