package readmodel

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// scanner reads the columns of a row.
type scanner func(into ...any) error

// each calls visit for each row, and closes rows.
func each(rows *sql.Rows, visit func(scanner) error) error {
	defer func() { _ = rows.Close() }() // Err has what went wrong
	for rows.Next() {
		if err := visit(rows.Scan); err != nil {
			return fmt.Errorf("read row: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	return nil
}

// collect returns what visit makes of each row. It is empty, not nil, without rows.
func collect[T any](rows *sql.Rows, visit func(scanner) (T, error)) ([]T, error) {
	all := []T{}
	err := each(rows, func(scan scanner) error {
		row, err := visit(scan)
		all = append(all, row)
		return err
	})
	return all, err
}

// list runs a query and returns its rows.
func list[T any](ctx context.Context, m *Model, visit func(scanner) (T, error), text string, arguments ...any) ([]T, error) {
	m.using.RLock()
	defer m.using.RUnlock()
	rows, err := m.files.read.QueryContext(ctx, text, arguments...)
	if err != nil {
		return nil, slow(ctx, fmt.Errorf("query: %w", err))
	}
	all, err := collect(rows, visit)
	return all, slow(ctx, err)
}

// ErrSlow means that a search took too long.
var ErrSlow = errors.New("the search takes too long")

// patiently limits how long the queries of a search may take.
func (m *Model) patiently(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, m.config.Patience, ErrSlow)
}

// slow returns ErrSlow in place of an error of a query that has taken too long.
func slow(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), ErrSlow) {
		return ErrSlow
	}
	return err
}

// number runs a query for one number.
func (m *Model) number(ctx context.Context, text string, arguments ...any) (int64, error) {
	found, err := list(ctx, m, func(scan scanner) (n int64, err error) { return n, scan(&n) }, text, arguments...)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0], nil
}

// The numbers of rows in a page.
const (
	defaultLimit = 50
	maxLimit     = 1000
)

func limitOf(n int) int {
	if n <= 0 {
		return defaultLimit
	}
	return min(n, maxLimit)
}

// ErrCursor means that what selects the next part of a list is not what Page.Next was.
var ErrCursor = errors.New("the next page of the list is not known")

// cursor returns what Page.Next is: the values that the rows of a list are sorted by, of the last row.
func cursor(values ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(values, "\x00")))
}

// parseCursor returns the values of a cursor, as many as there are in first, which are those before the first row.
func parseCursor(text string, first ...string) ([]string, error) {
	if text == "" {
		return first, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	values := strings.Split(string(raw), "\x00")
	if err != nil || len(values) != len(first) {
		return nil, ErrCursor
	}
	return values, nil
}

// afterNumbers parses a cursor of two numbers. Lists are newest first, so that the greatest numbers are before the first row.
func afterNumbers(text string) (at, id int64, err error) {
	greatest := strconv.FormatInt(1<<62, 10)
	values, err := parseCursor(text, greatest, greatest)
	if err != nil {
		return 0, 0, err
	}
	at, err = strconv.ParseInt(values[0], 10, 64)
	id, bad := strconv.ParseInt(values[1], 10, 64)
	if err != nil || bad != nil {
		return 0, 0, ErrCursor
	}
	return at, id, nil
}

// pageOf returns the first rows as a page. There is another page if there are more than the limit.
func pageOf[T any](rows []T, limit int, next func(T) string) Page[T] {
	if len(rows) <= limit {
		return Page[T]{Rows: rows}
	}
	return Page[T]{Rows: rows[:limit], Next: next(rows[limit-1])}
}

// numbered is a row with the number that breaks ties in the order of a list.
type numbered[T any] struct {
	row    T
	at, id int64
}

// numberedPage returns the first rows as a page.
func numberedPage[T any](rows []numbered[T], limit int) Page[T] {
	page := pageOf(rows, limit, func(n numbered[T]) string {
		return cursor(strconv.FormatInt(n.at, 10), strconv.FormatInt(n.id, 10))
	})
	out := Page[T]{Rows: make([]T, 0, len(page.Rows)), Next: page.Next}
	for _, n := range page.Rows {
		out.Rows = append(out.Rows, n.row)
	}
	return out
}
