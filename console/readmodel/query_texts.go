package readmodel

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

const selectTexts = `SELECT t.id, s.name, t.customer, t.flow, t.status, t.reason, t.planned_at, t.status_at, t.changed_at, t.release_at, t.deferred,
	t.attempt, t.clicked_at, t.provider_id, t.code, t.error, ifnull(b.recipient, ''), ifnull(b.sender, ''), ifnull(b.body, ''), ifnull(b.segments, 0),
	ifnull(b.variables, ''), ifnull(b.masked, ''), t.key FROM texts t JOIN stores s ON s.id = t.store LEFT JOIN bodies b ON b.text = t.key`

// scanText reads a row of selectTexts.
func (m *Model) scanText(scan scanner) (Text, error) {
	n, err := m.scanNumberedText(scan)
	return n.row, err
}

func (m *Model) scanNumberedText(scan scanner) (n numbered[Text], err error) {
	var id []byte
	var planned, status, changed, release, clicked int64
	var values string
	t := &n.row
	err = scan(&id, &t.Store, &t.Customer, &t.Flow, &t.Status, &t.Reason, &planned, &status, &changed, &release, &t.Deferred, &t.Attempt, &clicked,
		&t.ProviderID, &t.Code, &t.Error, &t.To, &t.From, &t.Body, &t.Segments, &values, &t.Masked, &n.id)
	t.ID, t.PlannedAt, t.StatusAt, t.ChangedAt = hex.EncodeToString(id), timeOf(planned), timeOf(status), timeOf(changed)
	t.ReleaseAt, t.ClickedAt, t.Variables = timeOf(release), timeOf(clicked), variables(values)
	n.at = status
	return n, err
}

// Texts returns texts of a store, those that changed their status last first.
func (m *Model) Texts(ctx context.Context, f TextFilter) (Page[Text], error) {
	ctx, cancel := m.patiently(ctx)
	defer cancel()
	at, id, err := afterNumbers(f.After)
	if err != nil {
		return Page[Text]{}, err
	}
	found, err := m.matching(ctx, f, at)
	if err != nil {
		return Page[Text]{}, err
	}
	w := found
	w.and("t.store = (SELECT id FROM stores WHERE name = ?)", f.Store)
	w.and("(t.status_at, t.key) < (?, ?)", at, id)
	w.andIf(f.Customer != "", "t.customer = ?", f.Customer)
	w.andIf(f.Flow != "", "t.flow = ?", string(f.Flow))
	w.andIf(f.Status != "", "t.status = ?", string(f.Status))
	w.andIf(!f.Since.IsZero(), "t.status_at >= ?", millis(f.Since))
	w.andIf(!f.Until.IsZero(), "t.status_at < ?", millis(f.Until))
	limit := limitOf(f.Limit)
	// Which texts they are comes first, so that no other columns are read of those that are left out.
	rows, err := list(ctx, m, m.scanNumberedText, selectTexts+" WHERE t.key IN (SELECT t.key FROM "+w.from+w.String()+
		" ORDER BY t.status_at DESC, t.key DESC LIMIT ?) ORDER BY t.status_at DESC, t.key DESC", append(w.values, limit+1)...)
	if err != nil {
		return Page[Text]{}, err
	}
	return numberedPage(rows, limit), nil
}

// where is the condition of a query, and what it selects from. The values of from come first.
type where struct {
	from       string
	conditions []string
	values     []any
}

func (w *where) and(condition string, values ...any) {
	w.conditions, w.values = append(w.conditions, condition), append(w.values, values...)
}

func (w *where) andIf(is bool, condition string, values ...any) {
	if is {
		w.and(condition, values...)
	}
}

// String returns the clause.
func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// Unknown returns the texts of a store that were perhaps sent, newest first.
func (m *Model) Unknown(ctx context.Context, store, after string, limit int) (Page[Text], error) {
	return m.Texts(ctx, TextFilter{Store: store, Status: message.Unknown, After: after, Limit: limit})
}

// Text returns a text with all its changes; ErrNotFound if there is none.
func (m *Model) Text(ctx context.Context, id string) (TextLife, error) {
	key, _, err := textKey(id)
	if err != nil {
		return TextLife{}, fmt.Errorf("text %q: %w", id, ErrNotFound)
	}
	found, err := list(ctx, m, func(scan scanner) (l TextLife, err error) {
		var triggers, changes string
		l.Text, err = m.scanText(func(into ...any) error { return scan(append(into, &l.Cause, &triggers, &changes)...) })
		if err != nil {
			return l, err
		}
		if err := json.Unmarshal([]byte(triggers), &l.Triggers); err != nil {
			return l, err
		}
		l.Changes, err = m.changes(changes)
		return l, err
	}, strings.Replace(selectTexts, " FROM texts", ", t.cause, t.triggers, t.changes FROM texts", 1)+" WHERE t.key = ?", key)
	switch {
	case err != nil:
		return TextLife{}, err
	case len(found) == 0 || found[0].ID != id:
		return TextLife{}, fmt.Errorf("text %q: %w", id, ErrNotFound)
	}
	return found[0], nil
}

// changes decodes what change has written.
func (m *Model) changes(lines string) (all []TextChange, err error) {
	for line := range strings.SplitSeq(lines, "\n") {
		var c storedChange
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return nil, fmt.Errorf("decode change: %w", err)
		}
		change := TextChange{
			Change: c.Change, At: timeOf(c.At), ReleaseAt: timeOf(c.ReleaseAt), Attempt: c.Attempt, ClickedAt: timeOf(c.ClickedAt),
			ProviderID: c.ProviderID, Code: c.Code, Error: c.Error, Place: Place{Topic: m.config.Topics.Messages(), Partition: c.Partition, Offset: c.Offset},
		}
		change.Status, change.Reason = message.Status(c.Status), reason.Reason(c.Reason)
		all = append(all, change)
	}
	return all, nil
}

// statuses are all that a text can have.
func statuses() []message.Status {
	return []message.Status{
		message.Planned, message.Claimed, message.Accepted, message.Sent, message.Delivered, message.Undelivered, message.Rejected, message.Unknown, message.Suppressed,
	}
}

type textCounts = map[message.Status]int64

// overviewTexts counts texts.
func (m *Model) overviewTexts(ctx context.Context, store string, since time.Time, o *Overview) error {
	type count struct {
		status      message.Status
		recent, all int64
	}
	counts, err := list(ctx, m, func(scan scanner) (c count, err error) { return c, scan(&c.status, &c.recent, &c.all) },
		`WITH statuses (status) AS (SELECT value FROM json_each(?3))
		SELECT status, (SELECT count(*) FROM texts t WHERE t.store = (SELECT id FROM stores WHERE name = ?1) AND t.status = s.status AND t.status_at >= ?2),
			iif(status IN ('planned', 'claimed', 'unknown'),
				(SELECT count(*) FROM texts t WHERE t.store = (SELECT id FROM stores WHERE name = ?1) AND t.status = s.status), 0)
		FROM statuses s`, store, millis(since), asJSON(statuses()))
	if err != nil {
		return err
	}
	for _, c := range counts {
		if c.recent > 0 {
			o.Texts[c.status] = c.recent
		}
		switch c.status {
		case message.Planned, message.Claimed:
			o.Waiting += c.all
		case message.Unknown:
			o.Unknown = c.all
		}
	}
	next, err := m.number(ctx, `SELECT release_at FROM texts
		WHERE store = (SELECT id FROM stores WHERE name = ?) AND status = 'planned' AND release_at > 0 ORDER BY release_at LIMIT 1`, store)
	o.NextRelease = timeOf(next)
	return err
}

// Flows counts the texts of a store that were planned on the day of a time, in a time zone, or later, by flow, as package flowstats does.
func (m *Model) Flows(ctx context.Context, store string, since time.Time, zone *time.Location) ([]FlowCount, error) {
	return list(ctx, m, func(scan scanner) (c FlowCount, err error) {
		return c, scan(&c.Flow, &c.Texts, &c.Sent, &c.Delivered, &c.Clicked, &c.Failed, &c.Waiting)
	}, `SELECT flow, count(*), sum(status IN ('accepted', 'sent', 'delivered')), sum(status = 'delivered'), sum(clicked_at > 0),
			sum(status IN ('rejected', 'undelivered')), sum(status IN ('planned', 'claimed'))
		FROM texts WHERE store = (SELECT id FROM stores WHERE name = ?) AND planned_at >= ? AND NOT merged GROUP BY flow ORDER BY flow`,
		store, millis(startOfDay(since, zone)))
}

// startOfDay returns the first moment that has the date of a time in a zone. Where clocks go forward at midnight it is later.
func startOfDay(t time.Time, zone *time.Location) time.Time {
	year, month, date := t.In(zone).Date()
	start := time.Date(year, month, date, 0, 0, 0, 0, zone)
	if start.Day() != date {
		_, start = start.ZoneBounds()
	}
	return start
}
