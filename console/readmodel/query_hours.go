package readmodel

import (
	"context"
	"time"
)

// Hour is what happened in an hour.
type Hour struct {
	Begins time.Time `json:"begins"`
	Events int64     `json:"events"` // and facts
	Texts  int64     `json:"texts"`  // that the provider has, by when they reached their present status
}

// Hours returns the hours of a store with events or texts since the beginning of the hour of a time, the oldest first.
func (m *Model) Hours(ctx context.Context, store string, since time.Time) ([]Hour, error) {
	first := since.UnixMilli() / time.Hour.Milliseconds()
	return list(ctx, m, func(scan scanner) (h Hour, err error) {
		var hour int64
		err = scan(&hour, &h.Events, &h.Texts)
		h.Begins = timeOf(hour * time.Hour.Milliseconds())
		return h, err
	}, `SELECT hour, sum(events), sum(texts) FROM (
		SELECT h.hour, h.count AS events, 0 AS texts FROM hours h JOIN kinds k ON k.id = h.kind
			WHERE k.store = (SELECT id FROM stores WHERE name = ?1) AND h.hour >= ?2
		UNION ALL
		SELECT status_at / 3600000, 0, 1 FROM texts
			WHERE store = (SELECT id FROM stores WHERE name = ?1) AND status IN ('accepted', 'sent', 'delivered', 'undelivered') AND status_at >= ?2 * 3600000
		) GROUP BY hour ORDER BY hour`, store, first)
}
