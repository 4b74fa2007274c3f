package readmodel

import (
	"context"
	"strconv"

	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

const selectLetters = `SELECT l.at, l.role, l.store, l.customer, l.about, l.type, l.reason, l.error, l.attempts, l.first_at, l.last_at,
	ifnull(r.at, 0), l.partition, l.offset, l.origin_topic, l.origin_offset
	FROM letters l LEFT JOIN replays r ON r.role = l.role AND r.partition = l.partition AND r.offset = l.offset`

// isOpen is the condition for a letter that was not sent again.
const isOpen = "NOT EXISTS (SELECT 1 FROM replays r2 WHERE r2.role = l.role AND r2.partition = l.partition AND r2.offset = l.offset)"

// scanLetter reads a row of selectLetters.
func (m *Model) scanLetter(scan scanner) (l DeadLetter, err error) {
	var at, first, last, replayed int64
	err = scan(&at, &l.Role, &l.Store, &l.Customer, &l.About, &l.Type, &l.Reason, &l.Error, &l.Attempts, &first, &last, &replayed,
		&l.Place.Partition, &l.Place.Offset, &l.Origin.Topic, &l.Origin.Offset)
	l.At, l.FirstAt, l.LastAt, l.ReplayedAt = timeOf(at), timeOf(first), timeOf(last), timeOf(replayed)
	l.Place.Topic, l.Origin.Partition = m.config.Topics.DeadLetters(l.Role), l.Place.Partition
	return l, err
}

// DeadLetters returns dead letters, newest first.
func (m *Model) DeadLetters(ctx context.Context, f DeadLetterFilter) (Page[DeadLetter], error) {
	after, err := parseCursor(f.After, strconv.FormatInt(1<<62, 10), "", "0", "0")
	if err != nil {
		return Page[DeadLetter]{}, err
	}
	var w where
	w.and(`(l.at < CAST(? AS INTEGER) OR l.at = CAST(? AS INTEGER) AND
		(l.role, l.partition, l.offset) > (?, CAST(? AS INTEGER), CAST(? AS INTEGER)))`, after[0], after[0], after[1], after[2], after[3])
	w.andIf(f.Role != "", "l.role = ?", string(f.Role))
	w.andIf(f.Store != "", "l.store = ?", f.Store)
	w.andIf(f.Reason != "", "l.reason = ?", f.Reason)
	w.andIf(f.Open, isOpen)
	limit := limitOf(f.Limit)
	rows, err := list(ctx, m, m.scanLetter, selectLetters+w.String()+" ORDER BY l.at DESC, l.role, l.partition, l.offset LIMIT ?", append(w.values, limit+1)...)
	if err != nil {
		return Page[DeadLetter]{}, err
	}
	return pageOf(rows, limit, func(l DeadLetter) string {
		return cursor(strconv.FormatInt(millis(l.At), 10), string(l.Role), strconv.Itoa(l.Place.Partition), strconv.FormatInt(l.Place.Offset, 10))
	}), nil
}

// DeadLetterCounts returns how many dead letters there are of a store, "" for all, by role, store and reason.
func (m *Model) DeadLetterCounts(ctx context.Context, store string) ([]DeadLetterCount, error) {
	return list(ctx, m, func(scan scanner) (c DeadLetterCount, err error) {
		var role string
		var last int64
		err = scan(&role, &c.Store, &c.Reason, &c.Open, &c.Replayed, &last)
		c.Role, c.LastAt = topology.Role(role), timeOf(last)
		return c, err
	}, `SELECT l.role, l.store, l.reason, sum(r.at IS NULL), sum(r.at IS NOT NULL), max(l.at)
		FROM letters l LEFT JOIN replays r ON r.role = l.role AND r.partition = l.partition AND r.offset = l.offset
		WHERE ? = '' OR l.store = ? GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, store, store)
}
