package expected

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Tables are the last values of the public tables, by key without the store.
type Tables map[string][]byte

// Set adds the next record of a table; nil deletes the row.
func (t Tables) Set(key string, value []byte) {
	_, key, _ = strings.Cut(key, "/")
	if value == nil {
		delete(t, key)
		return
	}
	t[key] = value
}

// InTheEnd finds the errors of a complete result: events, dead letters, rows of the tables and properties of every customer.
func (c *Checker) InTheEnd(tables Tables) []string {
	unexpected := maps.Clone(tables)
	for n := range c.actual {
		want := c.expected(n)
		c.compareEvents(n, want)
		c.compareFacts(n, want, want.Listed)
		if c.deadLetters[n] != want.DeadLetters {
			c.find("customer %d has %d dead letters, expected %d", n, c.deadLetters[n], want.DeadLetters)
		}
		for key, row := range want.Rows {
			if is := rowOf(tables[key]); is != row {
				c.find("row %s\n  is       %s\n  expected %s", key, is, row)
			}
			delete(unexpected, key)
		}
	}
	for key, row := range unexpected {
		c.find("row %s should not be there: %s", key, row)
	}
	return c.found()
}

func (c *Checker) compareEvents(n int, want Result) {
	events, lookedUp := c.split(n, want)
	slices.SortFunc(lookedUp, compare)
	slices.SortFunc(want.LookedUp, compare)
	if !slices.Equal(events, want.Events) {
		c.find("customer %d:\n%s", n, difference(events, want.Events))
	}
	if !slices.Equal(lookedUp, want.LookedUp) {
		c.find("customer %d, of lookups:\n%s", n, difference(lookedUp, want.LookedUp))
	}
	if values := properties(append(events, lookedUp...)); !maps.Equal(values, want.Properties) {
		c.find("customer %d: the property is %v, expected %v", n, values, want.Properties)
	}
}

// properties are the last values of each profile: those with the latest time, as at a destination.
func properties(events []Event) map[string]bool {
	last, values := map[string]time.Time{}, map[string]bool{}
	for _, e := range events {
		if at, err := time.Parse(time.RFC3339Nano, e.At); e.Name == property && err == nil && at.After(last[e.To]) {
			last[e.To], values[e.To] = at, e.More == "true"
		}
	}
	return values
}

// Destination finds the errors in the events and the properties of a destination: it must have each expected event once and no
// other, even if some were sent twice. Times are compared in seconds. Other fields of an event are not compared, nor is the ID of
// a changed customer.
func (c *Checker) Destination(kept []Event, value func(email string) any) []string {
	counts := map[Event]int{}
	for _, e := range kept {
		counts[e.kept()]++
	}
	for n := range c.actual {
		want := c.expected(n)
		for _, e := range slices.Concat(want.Events, want.LookedUp) {
			if e.Name != property {
				counts[e.kept()]--
			}
		}
		for email, active := range want.Properties {
			if is := value(email); is != active {
				c.find("property of %s: is %v, expected %t", email, is, active)
			}
		}
	}
	for e, count := range counts {
		if count != 0 {
			c.find("destination: %s: %+d times", e, count)
		}
	}
	return c.found()
}

// kept is the event with the fields that are compared at a destination.
func (e Event) kept() Event {
	at, err := time.Parse(time.RFC3339Nano, e.At)
	if e.At, e.More = Stamp(at.Truncate(time.Second)), ""; err != nil || e.Name == "customer_change" {
		e.ID = ""
	}
	return e
}

// rowOf formats a value as written does; "" is no row.
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
	delete(fields, "updated_at") // that of the snapshot that changed the row
	var pairs []string
	if items, ok := fields["items"].([]any); ok {
		return chargeOf(fields, items)
	}
	for name, field := range fields {
		pairs = append(pairs, name, fmt.Sprint(field))
	}
	return written(pairs...)
}

// chargeOf formats the row of a charge: the fields that are compared, and the subscriptions of its items.
func chargeOf(fields map[string]any, items []any) string {
	var pairs, products []string
	for _, item := range items {
		if of, ok := item.(map[string]any); ok {
			products = append(products, fmt.Sprint(of["subscription_id"]))
		}
	}
	for _, name := range comparedOfACharge() {
		if value, ok := fields[name]; ok {
			pairs = append(pairs, name, fmt.Sprint(value))
		}
	}
	return written(append(pairs, "items", strings.Join(products, " "))...)
}

// compareFacts compares the facts of a customer. Those of changes are not compared where an answer of the API may have come between, at any
// time.
func (c *Checker) compareFacts(n int, want Result, lookedUp bool) {
	facts, changed := []Event{}, []Event{}
	for _, f := range c.facts[n] {
		if f.Name == "fact changed" || f.Name == "fact swapped" {
			changed = append(changed, f)
			continue
		}
		facts = append(facts, f)
	}
	slices.SortFunc(facts, compare)
	slices.SortFunc(changed, compare)
	if !slices.Equal(facts, want.Facts) {
		c.find("customer %d, facts:\n%s", n, difference(facts, want.Facts))
	}
	if !lookedUp && !slices.Equal(changed, want.Changed) {
		c.find("customer %d, changes:\n%s", n, difference(changed, want.Changed))
	}
}
