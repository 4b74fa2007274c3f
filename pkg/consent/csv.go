package consent

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// The columns of a list.
const (
	columnNumber = "number"
	columnStatus = "status"
	columnAt     = "at"
	columnSource = "source"
)

// maxCSVErrors is how many faults of a list are reported.
const maxCSVErrors = 20

// maxAhead is how far a time may be ahead of now, because clocks differ.
const maxAhead = 5 * time.Minute

// ReadCSV reads a list of changes for a store. Its first line names the columns, in any order:
//
//	number   with its country code, such as +14155552671
//	status   opted_in or opted_out
//	at       when it was decided, such as 2026-03-01T10:00:00Z or 2026-03-01, which is its midnight in UTC
//	source   optional: what it came by
//
// Other columns are ignored. The error has all faults, at most 20 lines, each with its line; it has no numbers. There are no changes
// then: a list is imported whole or not at all.
func ReadCSV(in io.Reader, store string, now time.Time) ([]Change, error) {
	r := csv.NewReader(&skipMark{in: in})
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return nil, csvError(err, "the list is empty: its first line must be number,status,at,source")
	}
	columns, err := columnsOf(head)
	if err != nil {
		return nil, err
	}
	var changes []Change
	var faults []error
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(append(faults, csvError(err, ""))...)
		}
		c, err := columns.change(row, store, now)
		if err != nil {
			line, _ := r.FieldPos(0)
			faults = append(faults, fmt.Errorf("line %d: %w", line, err))
			if len(faults) == maxCSVErrors {
				return nil, errors.Join(append(faults, errors.New("there may be more"))...)
			}
			continue
		}
		changes = append(changes, c)
	}
	return changes, errors.Join(faults...)
}

// csvError is an error of the CSV reader. Those name the line and quote nothing.
func csvError(err error, empty string) error {
	if errors.Is(err, io.EOF) {
		return errors.New(empty)
	}
	return fmt.Errorf("read list: %w", err)
}

// columns are the positions of the columns; -1 for one that is missing.
type columns struct{ number, status, at, source int }

func columnsOf(head []string) (columns, error) {
	names := make([]string, len(head))
	for i, name := range head {
		names[i] = strings.ToLower(strings.TrimSpace(name))
	}
	for i, name := range names {
		known := slices.Contains([]string{columnNumber, columnStatus, columnAt, columnSource}, name)
		if known && slices.Contains(names[:i], name) {
			return columns{}, fmt.Errorf("line 1: column %s is there twice", name)
		}
	}
	for _, name := range []string{columnNumber, columnStatus, columnAt} {
		if !slices.Contains(names, name) {
			return columns{}, fmt.Errorf("line 1: column %s is missing: the first line must be number,status,at,source", name)
		}
	}
	return columns{
		number: slices.Index(names, columnNumber), status: slices.Index(names, columnStatus),
		at: slices.Index(names, columnAt), source: slices.Index(names, columnSource),
	}, nil
}

func (at columns) change(row []string, store string, now time.Time) (Change, error) {
	c := Change{Store: store, Number: strings.TrimSpace(row[at.number]), Status: Status(strings.TrimSpace(row[at.status])), By: ByImport}
	if at.source >= 0 {
		c.Detail = strings.TrimSpace(row[at.source])
	}
	if strings.Contains(c.Number, "*") {
		return c, errors.New("number is masked: a list to import needs complete numbers (consent export --reveal)")
	}
	if _, err := sms.Canonical(c.Number); err != nil {
		return c, errors.New("number is not one with its country code, such as +14155552671")
	}
	if c.Status != OptedIn && c.Status != OptedOut {
		return c, fmt.Errorf("status is neither %s nor %s", OptedIn, OptedOut)
	}
	var err error
	if c.At, err = parseAt(strings.TrimSpace(row[at.at])); err != nil {
		return c, err
	}
	if c.At.After(now.Add(maxAhead)) {
		return c, errors.New("at is in the future")
	}
	return New(c)
}

func parseAt(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errors.New("at is not a time, such as 2026-03-01T10:00:00Z or 2026-03-01")
}

// WriteCSV writes changes in the form that ReadCSV reads, in their order. reveal writes complete numbers; without it they are masked.
func WriteCSV(out io.Writer, changes []Change, reveal bool) error {
	w := csv.NewWriter(out)
	rows := [][]string{{columnNumber, columnStatus, columnAt, columnSource}}
	for _, c := range changes {
		number := c.Number
		if !reveal {
			number = sms.Mask(number)
		}
		rows = append(rows, []string{number, string(c.Status), c.At.Format(time.RFC3339Nano), c.Origin()})
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("write list: %w", err)
	}
	return nil
}

// Origin is what the change came by, in one text. For an import it is what its list says, so that a list stays the same when it is exported
// and imported again.
func (c Change) Origin() string {
	switch {
	case c.Detail == "":
		return string(c.By)
	case c.By == ByImport:
		return c.Detail
	}
	return string(c.By) + ": " + c.Detail
}

// skipMark reads what follows a byte order mark, with which some programs begin a file.
type skipMark struct {
	in   io.Reader
	done bool
}

// Read reads from in.
func (s *skipMark) Read(p []byte) (int, error) {
	const mark = "\xef\xbb\xbf"
	if s.done || len(p) < len(mark) {
		return s.in.Read(p) //nolint:wrapcheck // a reader's error, such as io.EOF
	}
	s.done = true
	first := make([]byte, len(mark))
	n, err := io.ReadFull(s.in, first)
	if string(first) == mark {
		return s.in.Read(p) //nolint:wrapcheck // likewise
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return copy(p, first[:n]), err
}
