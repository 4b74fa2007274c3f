package membership

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Property returns the customer property of a segment.
func Property(name string) string { return "recharge_segment_" + name }

// batch is the changes of one request.
type batch struct {
	changes []*change
	updates []Update
	of      []*change // the change of each update
}

// updatesOf returns the updates of a change: one of the profile, and one of each former profile. Those are a second older, because another customer
// may have got the e-mail: then the update of that one counts, in whatever order they are sent.
func (p *pushing) updatesOf(c *change) (updates []Update) {
	add := func(ids map[string]string, set map[string]bool, at time.Time) {
		updates = append(updates, Update{ID: fmt.Sprintf("%s-%d", c.customerID, len(updates)), CustomerIDs: ids, Properties: set, At: at})
	}
	former := map[string]map[string]bool{}
	for _, row := range c.former {
		if former[row.CustomerID] == nil {
			former[row.CustomerID] = map[string]bool{}
		}
		former[row.CustomerID][Property(row.Segment)] = false
	}
	for _, id := range slices.Sorted(maps.Keys(former)) {
		add(p.Former(id), former[id], p.now.Add(-time.Second))
	}
	if len(c.set) > 0 {
		now := map[string]bool{}
		for name, is := range c.set {
			now[Property(name)] = is
		}
		add(c.now.IDs, now, p.now)
	}
	return updates
}

// add adds a change to the batch, and sends the batch before if both do not fit into one request.
func (p *pushing) add(ctx context.Context, c *change) error {
	updates := p.updatesOf(c)
	if len(p.batch.updates)+len(updates) > MaxUpdates || len(p.batch.changes) == maxChanges {
		if err := p.flush(ctx); err != nil {
			return err
		}
	}
	p.batch.changes = append(p.batch.changes, c)
	for _, update := range updates {
		p.batch.updates, p.batch.of = append(p.batch.updates, update), append(p.batch.of, c)
	}
	return nil
}

// maxChanges limits the changes of a batch, of which those of deleted customers have no update.
const maxChanges = 500

// reject counts a change that Bloomreach refuses. It is tried again by the next push.
func (p *pushing) reject(c *change, why string) {
	p.done.Rejected++
	if len(p.done.Errors) < maxErrors {
		p.done.Errors = append(p.done.Errors, fmt.Sprintf("customer %s: %s", c.customerID, why))
	}
}

// maxErrors is how many refusals are reported.
const maxErrors = 5

// flush sends the batch, and writes the rows of what was accepted.
func (p *pushing) flush(ctx context.Context) error {
	b := p.batch
	p.batch = batch{}
	if len(b.changes) == 0 {
		return nil
	}
	failed, err := p.send(ctx, b)
	var records []kafka.Record
	for _, c := range b.changes {
		if failed[c] {
			continue
		}
		p.done.count(c)
		rows, encodeErr := p.records(c)
		err = errors.Join(err, encodeErr)
		records = append(records, rows...)
	}
	if len(records) == 0 || p.Commit == nil {
		return err
	}
	return errors.Join(err, p.Commit(ctx, records...))
}

// send sends the updates, those without an answer again. It returns the changes that were not accepted as a whole.
func (p *pushing) send(ctx context.Context, b batch) (failed map[*change]bool, err error) {
	failed = map[*change]bool{}
	if p.Destination == nil {
		return failed, nil
	}
	for attempt := 0; len(b.updates) > 0; attempt++ {
		var answers []Answer
		answers, err = p.Destination.Update(ctx, b.updates)
		p.done.Requests++
		b = p.settle(b, answers, failed)
		if err == nil || !p.again(ctx, attempt, err) {
			break
		}
	}
	for _, c := range b.of {
		failed[c] = true
	}
	return failed, err
}

// settle takes up the answers, none if the request was not sent. It returns the updates without an answer.
func (p *pushing) settle(b batch, answers []Answer, failed map[*change]bool) (left batch) {
	if len(answers) == 0 {
		return b
	}
	for i, a := range answers {
		switch {
		case a.Accepted:
		case len(a.Refused) > 0:
			failed[b.of[i]] = true
			p.reject(b.of[i], strings.Join(a.Refused, "; "))
		default:
			left.updates, left.of = append(left.updates, b.updates[i]), append(left.of, b.of[i])
		}
	}
	return left
}

// maxAttempts is how often a request is sent, with waits of 1, 2, 4 and 8 seconds between, or as the answer says.
const maxAttempts = 5

// again waits before another attempt, and reports whether there is one.
func (p *pushing) again(ctx context.Context, attempt int, err error) bool {
	var later *TryAgainError
	if attempt+1 == maxAttempts || !errors.As(err, &later) {
		return false
	}
	return p.Sleep(ctx, max(later.After, time.Second<<attempt)) == nil
}

// records are the rows to write and to delete.
func (p *pushing) records(c *change) (records []kafka.Record, err error) {
	for i, row := range slices.Concat(c.members, c.gone) {
		record, err := row.record(p.Topics.SegmentMembers(), p.partition, i >= len(c.members))
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}
