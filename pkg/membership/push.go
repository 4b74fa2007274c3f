package membership

import (
	"context"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/partitions"
)

// Push sets a property in Bloomreach for who became a member of segments and who is none any more.
//
// Only differences are sent: recharge.segment-members has what was sent, and is written after each answer. So a push that fails is continued by the
// next one, and a repetition sends the same. A property is set to false only if it was true.
type Push struct {
	Source
	Segments []Segment
	// Only names the segments to push; nil for all. Then properties of segments that do not exist any more are set to false.
	Only []string
	// Profile returns the profile of a customer, Former the ids of one that a customer had, by its ID.
	Profile func(customerID, email string) Profile
	Former  func(id string) map[string]string
	// Destination is nil for a dry run, which sends nothing.
	Destination Destination
	// Commit writes rows of one partition in a transaction. It is nil for a dry run.
	Commit func(ctx context.Context, records ...kafka.Record) error
	Sleep  func(ctx context.Context, d time.Duration) error
}

// Pushed is what was sent.
type Pushed struct {
	// Added and Removed are how many customers became members, and are none any more, by the names of segments.
	Added   map[string]int `json:"added"`
	Removed map[string]int `json:"removed"`
	// Rejected are customers whom Bloomreach refused, of whom Errors has some with its words. They are tried again by the next push.
	Rejected int      `json:"rejected"`
	Errors   []string `json:"-"`
	Requests int      `json:"requests"`
}

// IsEmpty reports whether there was nothing to send.
func (p Pushed) IsEmpty() bool { return len(p.Added)+len(p.Removed)+p.Rejected == 0 }

func (p *Pushed) count(c *change) {
	added := map[string]bool{}
	for _, row := range c.members {
		added[row.Segment] = true
		p.Added[row.Segment]++
	}
	for _, row := range c.gone {
		if !added[row.Segment] {
			p.Removed[row.Segment]++
		}
	}
}

// pushing is a push while it runs.
type pushing struct {
	Push

	now       time.Time
	partition int
	batch     batch
	done      Pushed
}

// Run pushes the members at a time. With an error, Pushed is what was sent until then. Property values carry the time, so a push must not have an earlier one
// than the push before.
func (p Push) Run(ctx context.Context, now time.Time) (Pushed, error) {
	run := &pushing{Push: p, now: now, done: Pushed{Added: map[string]int{}, Removed: map[string]int{}}}
	reader, err := p.open(p.Topics.SegmentMembers())
	if err != nil {
		return run.done, err
	}
	defer reader.Close()
	numbers, err := reader.Numbers(ctx)
	if err != nil {
		return run.done, err
	}
	for _, partition := range numbers {
		run.partition = partition
		if err := run.push(ctx, reader); err != nil {
			return run.done, err
		}
	}
	return run.done, nil
}

// push pushes the members of a partition.
func (p *pushing) push(ctx context.Context, reader *partitions.Reader) error {
	found, _, err := p.read(ctx, reader, p.partition)
	if err != nil {
		return err
	}
	rows := pushedRows{}
	err = p.each(ctx, reader, p.Topics.SegmentMembers(), p.partition, func(rest string, r kafka.Record) error {
		id, name, _ := strings.Cut(rest, "/")
		return rows.add(id, name, r)
	})
	if err != nil {
		return err
	}
	d := differ{store: p.Store, segments: p.Segments, only: p.Only, profile: p.Profile, now: p.now}
	for id := range rows {
		if _, known := found[id]; !known {
			found[id] = nil
		}
	}
	for _, id := range found.ids() {
		if c := d.diff(id, found[id], rows[id]); !c.isEmpty() {
			if err := p.add(ctx, c); err != nil {
				return err
			}
		}
	}
	return p.flush(ctx)
}
