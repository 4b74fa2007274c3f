package lives_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/test/lives"
)

func shop() lives.Shop { return lives.Shop{Seed: 7, Now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)} }

// The product's decisions and the reckoning agree on every life, whenever the API answers.
func TestReckoningAndProductAgree(t *testing.T) {
	const many = 1500
	for name, late := range map[string]bool{"answers at once": false, "answers in the end": true} {
		t.Run(name, func(t *testing.T) {
			p := newProduct(t, many)
			p.late = late
			for n := range many {
				p.live(n)
			}
			assert.Empty(t, firstOf(p.watch.SoFar()))
			assert.Empty(t, firstOf(p.watch.InTheEnd(p.tables)))
			t.Logf("%d lives, %d webhooks, %d events, %d rows", many, p.webhooks, p.watch.Events(), len(p.tables))
		})
	}
}

func firstOf(wrong []string) []string { return wrong[:min(len(wrong), 5)] }

// Lives have all that a shop's customers do, often enough.
func TestLivesAreOfEachKind(t *testing.T) {
	topics, kinds, twice, others := map[string]int{}, map[lives.Kind]int{}, 0, 0
	for n := range 1000 {
		l := shop().Life(n)
		kinds[l.Kind]++
		told := map[string]bool{}
		for _, burst := range l.Bursts {
			var last time.Time
			for _, d := range burst {
				topics[d.Topic]++
				body := string(l.Body(d))
				if told[d.Topic+body] {
					twice++
				}
				if strings.Contains(body, "metafields") {
					others++
				}
				told[d.Topic+body] = true
				assert.True(t, d.Received.After(last) && d.Received.Before(shop().Now))
				last = d.Received
			}
		}
		require.LessOrEqual(t, len(l.Bursts), lives.Bursts)
		assert.Equal(t, l, shop().Life(n), "equal seeds")
	}
	assert.Len(t, kinds, 7)
	for topic, times := range topics {
		assert.Greater(t, times, 5, topic)
	}
	assert.Subset(t, slices.Collect(maps.Keys(topics)), []string{
		"customer/created", "customer/activated", "customer/updated", "customer/deactivated", "customer/deleted",
		"subscription/created", "subscription/activated", "subscription/cancelled", "subscription/deleted", "subscription/swapped",
		"charge/created", "charge/paid", "charge/failed", "charge/max_retries_reached",
	})
	assert.Greater(t, twice, 300)
	assert.Greater(t, others, 200)
}

// A watch finds what is lost, doubled, out of order, another's, and rows that are not as they should be.
func TestWatch(t *testing.T) {
	const many = 80
	lived := func(change func(events []event) []event) (soFar, inTheEnd []string) {
		p := newProduct(t, many)
		for n := range many {
			p.live(n)
		}
		watch := lives.NewWatch(shop(), many)
		for _, e := range change(p.events) {
			require.NoError(t, watch.Event(e.value, e.place))
			watch.Once("events", e.id)
		}
		for id, letters := range p.letters {
			for range letters {
				watch.Letter(id)
			}
		}
		return watch.SoFar(), watch.InTheEnd(p.tables)
	}
	soFar, inTheEnd := lived(func(events []event) []event { return events })
	assert.Empty(t, firstOf(append(soFar, inTheEnd...)))

	soFar, inTheEnd = lived(func(events []event) []event { // all that came of a webhook, as it is committed
		last := events[len(events)-1].place
		return slices.DeleteFunc(events, func(e event) bool { return e.place == last })
	})
	assert.Empty(t, soFar, "it may come yet")
	assert.NotEmpty(t, inTheEnd, "lost")

	for name, change := range map[string]func(events []event) []event{
		"lost":    func(events []event) []event { return slices.Delete(events, 1, 2) },
		"doubled": func(events []event) []event { return append(events, events[0]) },
		"out of order": func(events []event) []event {
			events[0], events[3] = events[3], events[0]
			return events
		},
		"foreign": func(events []event) []event {
			events[0].value = []byte(strings.ReplaceAll(string(events[0].value), "200000000", "7"))
			return events
		},
		"another profile": func(events []event) []event {
			events[0].value = []byte(strings.ReplaceAll(string(events[0].value), "c0@", "c1@"))
			return events
		},
	} {
		soFar, inTheEnd = lived(change)
		assert.NotEmpty(t, soFar, name)
		assert.NotEmpty(t, inTheEnd, name)
	}
}

// Rows that are not as they should be are found, and so are those that should not be there, and letters.
func TestTables(t *testing.T) {
	const many = 80
	lived := func(change func(p *product)) []string {
		p := newProduct(t, many)
		for n := range many {
			p.live(n)
		}
		change(p)
		return p.watch.InTheEnd(p.tables)
	}
	assert.Empty(t, firstOf(lived(func(*product) {})))
	for name, change := range map[string]func(p *product){
		"missing":  func(p *product) { p.tables.Take("acme/200000000", nil) },
		"stranger": func(p *product) { p.tables.Take("acme/200000000/7", []byte(`{"id":"7"}`)) },
		"another": func(p *product) {
			p.tables["200000000"] = []byte(strings.Replace(string(p.tables["200000000"]), "Ada", "Eve", 1))
		},
		"letter": func(p *product) { p.watch.Letter("200000000") },
	} {
		assert.Len(t, lived(change), 1, name)
	}
}
