package redirect

import (
	"context"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/schemas"
)

const (
	// queueLength is how many clicks wait to be written. At 500 per second that is 20 seconds without brokers.
	queueLength = 10_000
	// maxBatch is how many clicks are written at once.
	maxBatch = 500
	// maxClicks is how many clicks on one link a process writes: nobody learns more from more, and anybody who has a link can send them.
	maxClicks = 100

	writeWithin  = 10 * time.Second // one attempt
	writeAgain   = time.Second      // after a failed one
	finishWithin = 3 * time.Second  // the last attempt, when the process stops
)

// Why a click is dropped.
const (
	DroppedQueueFull = "queue_full"
	DroppedTooMany   = "too_many"
	DroppedStopped   = "stopped"
)

// Clicks writes clicks to recharge.sms-receipts, apart from the answers. It holds each for links.AtOnce, to see whether others of the same
// text come with it.
type Clicks struct {
	topic   string
	produce func(ctx context.Context, records ...kafka.Record) error
	metrics Metrics
	trouble *telemetry.Trouble
	now     func() time.Time
	queue   chan *click
	held    []*click            // the oldest first; of Run
	ofText  map[string][]*click // those of a text, by its id
}

// click is a click and where its record goes.
type click struct {
	message.Click

	partition   int
	traceparent string
}

// NewClicks returns what writes clicks to a topic, under its full name. produce returns once every in-sync replica has the records.
func NewClicks(topic string, produce func(ctx context.Context, records ...kafka.Record) error, metrics Metrics, log *zap.Logger, now func() time.Time) *Clicks {
	return &Clicks{
		topic: topic, produce: produce, metrics: metrics, now: now, queue: make(chan *click, queueLength), ofText: map[string][]*click{},
		trouble: &telemetry.Trouble{Name: "write clicks", Log: log, Now: now},
	}
}

// Add adds a request for a link. It never waits: a click that there is no room for is dropped.
func (c *Clicks) Add(link *Link, linkID string, header http.Header, now time.Time) {
	if link.clicks.Add(1) > maxClicks {
		link.clicks.Add(-1)
		c.metrics.LinkClickDropped(link.Store, DroppedTooMany)
		return
	}
	sign := links.SignOf(header, link.ClaimedAt, now)
	added := &click{partition: link.Partition, traceparent: telemetry.EnsureTraceparent(header.Get(envelope.HeaderTraceparent)), Click: message.Click{
		Store: link.Store, CustomerID: link.CustomerID, MessageID: hex.EncodeToString(link.MessageID[:]), LinkID: linkID, Number: link.Number,
		At: now.UTC(), Bot: sign != "", Sign: string(sign), Agent: links.Family(header.Get("User-Agent")),
	}}
	select {
	case c.queue <- added:
	default:
		c.metrics.LinkClickDropped(link.Store, DroppedQueueFull)
	}
}

// Run writes clicks until ctx ends; then it writes those that it has, once, and returns. While brokers do not answer the clicks wait.
func (c *Clicks) Run(ctx context.Context) {
	ticker := time.NewTicker(links.AtOnce / 4)
	defer ticker.Stop()
	retry := time.Time{}
	for {
		full := c.queue
		if len(c.held) >= queueLength {
			full = nil // the queue fills up, and drops
		}
		select {
		case <-ctx.Done():
			c.finish(ctx)
			return
		case added := <-full:
			c.hold(added)
		case <-ticker.C:
		}
		if now := c.now(); now.After(retry) && !c.writeDue(ctx, now) {
			retry = now.Add(writeAgain)
		}
	}
}

// hold adds a click to those that are held, and marks those of the same text whose links were opened at once.
func (c *Clicks) hold(added *click) {
	for _, other := range c.ofText[added.MessageID] {
		if other.LinkID != added.LinkID && added.At.Sub(other.At).Abs() < links.AtOnce {
			other.mark()
			added.mark()
		}
	}
	c.held = append(c.held, added)
	c.ofText[added.MessageID] = append(c.ofText[added.MessageID], added)
}

func (c *click) mark() {
	if !c.Bot {
		c.Bot, c.Sign = true, string(links.SignAllLinks)
	}
}

// writeDue writes the clicks that were held long enough. It returns false if that failed: they stay.
func (c *Clicks) writeDue(ctx context.Context, now time.Time) bool {
	due := 0
	for due < len(c.held) && due < maxBatch && now.Sub(c.held[due].At) >= links.AtOnce {
		due++
	}
	return due == 0 || c.write(ctx, due, writeWithin)
}

// write writes the first clicks. It returns false if that failed: they stay.
func (c *Clicks) write(ctx context.Context, n int, within time.Duration) bool {
	records := make([]kafka.Record, 0, n)
	for _, each := range c.held[:n] {
		record, err := c.record(each)
		if err != nil {
			continue // JSON has all of its values
		}
		records = append(records, record)
	}
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	if err := c.produce(writing, records...); err != nil {
		c.trouble.Failed(err, "clicks on short links wait, and are dropped when 10,000 do", "in a second")
		return false
	}
	c.trouble.Over()
	for _, each := range c.held[:n] {
		c.metrics.LinkClick(each.Store, each.Sign)
		c.ofText[each.MessageID] = c.ofText[each.MessageID][1:] // they have the same order
		if len(c.ofText[each.MessageID]) == 0 {
			delete(c.ofText, each.MessageID)
		}
	}
	c.held = slices.Delete(c.held, 0, n)
	return true
}

// finish writes what is left.
func (c *Clicks) finish(ctx context.Context) {
	for len(c.queue) > 0 {
		c.hold(<-c.queue)
	}
	if len(c.held) == 0 || c.write(ctx, len(c.held), finishWithin) {
		return
	}
	for _, each := range c.held {
		c.metrics.LinkClickDropped(each.Store, DroppedStopped)
	}
}

// record returns the record of a click. It goes to the partition of its text, whatever its key.
func (c *Clicks) record(of *click) (kafka.Record, error) {
	value, err := envelope.Encode(of.Click)
	if err != nil {
		return kafka.Record{}, err
	}
	now := c.now()
	event := envelope.Event{
		Schema: schemas.SMSClick, ID: of.LinkID + "/" + strconv.FormatInt(of.At.UnixNano(), 10), Store: of.Store, Subject: "customer/" + of.CustomerID,
		At: of.At, Received: now,
	}
	return kafka.Record{
		Topic: c.topic, Partition: of.partition, Key: []byte(of.Store + "/" + of.CustomerID), Value: value, Time: now,
		Headers: append(event.Headers(), envelope.Header(envelope.HeaderTraceparent, of.traceparent)),
	}, nil
}
