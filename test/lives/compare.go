package lives

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Tables are the last values of the public tables, by key behind the store.
type Tables map[string][]byte

// Take takes the next record of a table; no value deletes a row.
func (t Tables) Take(key string, value []byte) {
	_, key, _ = strings.Cut(key, "/")
	if value == nil {
		delete(t, key)
		return
	}
	t[key] = value
}

// InTheEnd finds what is not as it must be when all has come: events, dead letters, rows of the tables and flags, of every life.
func (w *Watch) InTheEnd(tables Tables) []string {
	strangers := maps.Clone(tables)
	for n := range w.came {
		must := w.shop.Life(n).Reckon(Bursts)
		w.compareEvents(n, must)
		if w.letters[n] != must.Letters {
			w.find("customer %d has %d dead letters, should have %d", CustomerID(n), w.letters[n], must.Letters)
		}
		for key, row := range must.Rows {
			if is := rowOf(tables[key]); is != row {
				w.find("row %s\n  is        %s\n  should be %s", key, is, row)
			}
			delete(strangers, key)
		}
	}
	for key, row := range strangers {
		w.find("row %s should not be there: %s", key, row)
	}
	wrong := w.wrong
	w.wrong = nil
	return wrong
}

func (w *Watch) compareEvents(n int, must Reckoning) {
	events, answered := w.inOrder(n, must)
	slices.Sort(answered)
	slices.Sort(must.Answered)
	if !slices.Equal(events, must.Events) {
		w.find("customer %d:\n%s", CustomerID(n), beside(events, must.Events))
	}
	if !slices.Equal(answered, must.Answered) {
		w.find("customer %d, of answers:\n%s", CustomerID(n), beside(answered, must.Answered))
	}
	if flags := flagsIn(append(events, answered...)); !maps.Equal(flags, must.Flags) {
		w.find("customer %d: the flags are %v, should be %v", CustomerID(n), flags, must.Flags)
	}
}

// flagsIn is the last flag of each profile: the one with the latest time, as a destination takes it.
func flagsIn(events []string) map[string]bool {
	last, values := map[string]time.Time{}, map[string]bool{}
	for _, line := range events {
		var id, told, to, value string
		if n, _ := fmt.Sscanf(line, "customer_property %s at %s to %s %s", &id, &told, &to, &value); n != 4 {
			continue
		}
		if at, err := time.Parse(time.RFC3339Nano, told); err == nil && at.After(last[to]) {
			last[to], values[to] = at, value == "true"
		}
	}
	return values
}

// rowOf writes a value as written does; "" is none.
func rowOf(value []byte) string {
	if value == nil {
		return ""
	}
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil {
		return err.Error()
	}
	delete(fields, "store")
	var pairs []string
	for name, field := range fields {
		pairs = append(pairs, name, fmt.Sprint(field))
	}
	return written(pairs...)
}
