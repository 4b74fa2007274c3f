package expected_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/test/histories"
	"github.com/rechargeflow/rechargeflow/test/histories/expected"
)

const customers = 80

func shop(recorded bool) histories.Shop {
	return histories.Shop{
		Seed: 7, Now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Recorded: recorded,
		Duplicates: histories.Duplicates{Same: 0.04, Other: 0.03, Late: 0.1},
	}
}

// The product's decisions are as expected for every history, whenever the API answers.
func TestDecisionsAreAsExpected(t *testing.T) {
	for name, test := range map[string]struct {
		many           int
		recorded, late bool
	}{
		"answers at once": {many: 1000}, "answers in the end": {many: 1000, late: true},
		"recorded bursts, answers at once": {many: 160, recorded: true}, "recorded bursts, answers in the end": {many: 160, recorded: true, late: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProduct(t, shop(test.recorded), test.many)
			p.late = test.late
			p.run()
			assert.Empty(t, firstOf(p.checker.SoFar()))
			assert.Empty(t, firstOf(p.checker.InTheEnd(p.tables)))
			t.Logf("%d customers, %d webhooks, %d events, %d rows", test.many, p.webhooks, p.checker.Events(), len(p.tables))
		})
	}
}

func firstOf(wrong []string) []string { return wrong[:min(len(wrong), 5)] }

// A checker finds events that are lost, duplicated, out of order, of an unknown customer or of another profile.
func TestWrongEventsAreFound(t *testing.T) {
	check := func(change func(events []event) []event) (soFar, inTheEnd []string) {
		p := newProduct(t, shop(false), customers)
		p.run()
		checker := newChecker(shop(false), customers)
		for _, e := range change(p.events) {
			require.NoError(t, checker.Event(e.value, e.raw))
			checker.Once("events", e.id)
		}
		for _, key := range p.deadLetters {
			checker.DeadLetter(key)
		}
		for _, fact := range p.facts {
			require.NoError(t, checker.Fact(fact))
		}
		return checker.SoFar(), checker.InTheEnd(p.tables)
	}
	soFar, inTheEnd := check(func(events []event) []event { return events })
	assert.Empty(t, firstOf(append(soFar, inTheEnd...)))

	soFar, inTheEnd = check(func(events []event) []event { // all events of a webhook, as they are committed
		last := events[len(events)-1].raw
		return slices.DeleteFunc(events, func(e event) bool { return e.raw == last })
	})
	assert.Empty(t, soFar, "they may still come")
	assert.NotEmpty(t, inTheEnd, "lost")

	for name, change := range map[string]func(events []event) []event{
		"lost":      func(events []event) []event { return slices.Delete(events, 1, 2) },
		"duplicate": func(events []event) []event { return append(events, events[0]) },
		"out of order": func(events []event) []event {
			events[0], events[3] = events[3], events[0]
			return events
		},
		"unknown customer": func(events []event) []event {
			events[0].value = []byte(strings.ReplaceAll(string(events[0].value), "200000000", "7"))
			return events
		},
		"another profile": func(events []event) []event {
			events[0].value = []byte(strings.ReplaceAll(string(events[0].value), "subscriber0000000@", "subscriber0000001@"))
			return events
		},
	} {
		soFar, inTheEnd = check(change)
		assert.NotEmpty(t, soFar, name)
		assert.NotEmpty(t, inTheEnd, name)
	}
}

// A checker finds rows that differ or are not expected, and dead letters.
func TestWrongRowsAreFound(t *testing.T) {
	check := func(change func(p *product)) []string {
		p := newProduct(t, shop(false), customers)
		p.run()
		change(p)
		return p.checker.InTheEnd(p.tables)
	}
	assert.Empty(t, firstOf(check(func(*product) {})))
	for name, change := range map[string]func(p *product){
		"missing":      func(p *product) { p.tables.Set("acme/200000000", nil) },
		"not expected": func(p *product) { p.tables.Set("acme/200000000/7", []byte(`{"id":"7"}`)) },
		"different": func(p *product) {
			p.tables["200000000"] = []byte(strings.Replace(string(p.tables["200000000"]), "Example0", "Example1", 1))
		},
		"dead letter": func(p *product) { p.checker.DeadLetter("200000000") },
		"fact":        func(p *product) { require.NoError(p, p.checker.Fact(p.facts[0])) },
		"charge":      func(p *product) { p.tables.Set("acme/200000000/10000000001", nil) },
	} {
		assert.Len(t, check(change), 1, name)
	}
}

// A checker finds events that a destination lacks, has twice or should not have, and properties with another value.
func TestWrongDestinationIsFound(t *testing.T) {
	var kept []expected.Event
	values := map[string]any{}
	checker := newChecker(shop(false), customers)
	for n := range customers {
		want := expected.Of(shop(false).History(n))
		for _, e := range slices.Concat(want.Events, want.LookedUp) {
			if e.More = ""; e.Name != "customer_property" {
				kept = append(kept, e)
			}
		}
		for email, active := range want.Properties {
			values[email] = active
		}
	}
	compare := func(kept ...expected.Event) []string {
		return checker.Destination(kept, func(email string) any { return values[email] })
	}
	assert.Empty(t, firstOf(compare(kept...)))
	assert.Len(t, compare(kept[1:]...), 1, "lost")
	assert.Len(t, compare(append(slices.Clone(kept), kept[0])...), 1, "kept twice")
	unexpected := kept[0]
	unexpected.Name = "customer_change"
	assert.Len(t, compare(append(slices.Clone(kept), unexpected)...), 1, "not expected")
	for email, active := range values {
		values[email] = active != true
		assert.Len(t, compare(kept...), 1, email)
		values[email] = active
	}
}
