package pipeline_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// resident is a customer in a known time zone.
type resident struct{ zone, country, province, phone string }

// residents live where clocks are changed, at half and quarter hours, and on both sides of the date line.
func residents() []resident {
	return []resident{
		{"America/New_York", "US", "NY", "+1212555%04d"},
		{"Pacific/Honolulu", "US", "HI", "+1808555%04d"},
		{"Europe/Berlin", "DE", "", "+49151123%05d"},
		{"Asia/Kolkata", "IN", "", "+91981234%04d"},
		{"Asia/Kathmandu", "NP", "", "+977984123%04d"},
		{"Australia/Sydney", "AU", "NSW", "+6141234%04d"},
		{"Pacific/Auckland", "NZ", "", "+642112%05d"},
	}
}

// nights are what a check of TestNoTextAtNight draws.
type nights struct {
	sending sending.Settings
	flows   []flow.Key // of the triggers
	from    time.Time
	people  []resident
	at      []time.Duration // of each trigger, of people[n%len(people)]
	stopped map[int]time.Duration
}

func drawNights(t *rapid.T) nights {
	clock := func(name string, least, most int) quiethours.Clock {
		return quiethours.Clock(rapid.IntRange(least, most).Draw(t, name) % (24 * 60))
	}
	n := nights{
		sending: sending.Settings{QuietHours: sending.QuietHours{
			Hours:    quiethours.Hours{From: clock("from", 17*60, 24*60+2*60), To: clock("to", 3*60, 12*60)},
			AllFlows: rapid.Bool().Draw(t, "all flows"),
		}},
		// the nights before clocks are changed in America and Europe, in spring and autumn
		from: rapid.SampledFrom([]time.Time{
			time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 4, 0, 0, 0, 0, time.UTC),
			time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC),
		}).Draw(t, "from"),
		people:  rapid.SliceOfN(rapid.SampledFrom(residents()), 1, 4).Draw(t, "people"),
		stopped: map[int]time.Duration{},
	}
	for range rapid.IntRange(1, 10).Draw(t, "triggers") {
		n.at = append(n.at, time.Duration(rapid.IntRange(0, 48*60).Draw(t, "at"))*time.Minute)
		n.flows = append(n.flows, rapid.SampledFrom([]flow.Key{flow.OrderSkipped, flow.SubscriptionExpired, flow.SubscriptionPaused}).Draw(t, "flow"))
	}
	slices.Sort(n.at)
	if rapid.Bool().Draw(t, "anybody stops") {
		n.stopped[rapid.IntRange(0, len(n.people)-1).Draw(t, "who")] = time.Duration(rapid.IntRange(0, 72*60).Draw(t, "stopped")) * time.Minute
	}
	return n
}

func (n nights) person(i int) int { return i % len(n.people) }

func (n nights) phone(person int) string { return fmt.Sprintf(n.people[person].phone, person) }

// record is the n-th trigger. Each is an action of its own.
func (n nights) record(w *world, i int) kafka.Record {
	person, at := n.person(i), n.from.Add(n.at[i])
	record := w.triggerRecord(i)
	var t subscriber.Trigger
	require.NoError(w.t, json.Unmarshal(record.Value, &t))
	customer := fmt.Sprint(person + 1)
	t.RechargeCustomerID, t.Flow = customer, n.flows[i]
	t.Cause, t.Items = fmt.Sprint("acme/", customer, "/", t.Flow, "/", i), []string{fmt.Sprint("subscription/", i+1)}
	t.OccurredAt, t.StaleAt = at, at.Add(200*time.Hour)
	t.Recipient.Phone, t.Recipient.Country, t.Recipient.Province = n.phone(person), n.people[person].country, n.people[person].province
	record.Value, _ = json.Marshal(t)
	record.Key = []byte("acme/" + customer)
	return record
}

// run lets four days pass, minute by minute where something can happen. Triggers arrive when they happen, or all at the end of the second day.
func (n nights) run(t testing.TB, backlog bool) *world {
	w := newWorld(t, storeConfig{SMS: true, Flows: flowKeys()})
	w.sending, w.optedOut = n.sending, map[string]bool{}
	moments := []time.Duration{48*time.Hour + time.Minute}
	for minute := range 96 * 4 {
		moments = append(moments, time.Duration(minute)*15*time.Minute)
	}
	for _, at := range n.at {
		moments = append(moments, at, at+61*time.Second)
	}
	for _, at := range n.stopped {
		moments = append(moments, at)
	}
	slices.Sort(moments)
	next := 0
	for _, moment := range moments {
		w.set(n.from.Add(moment))
		for person, at := range n.stopped {
			w.optedOut[n.phone(person)] = moment >= at
		}
		for ; next < len(n.at) && n.at[next] <= moment && (!backlog || moment > 48*time.Hour); next++ {
			w.produce(n.record(w, next))
		}
		w.handleAll()
	}
	return w
}

// claimed returns when each trigger's text was claimed for its call.
func (w *world) claimed() map[string]time.Time {
	at := map[string]time.Time{}
	for _, r := range w.topics.since("recharge.messages", 0) {
		var change message.Change
		require.NoError(w.t, json.Unmarshal(r.Value, &change))
		if change.Status != message.Claimed {
			continue
		}
		for _, trigger := range change.Triggers {
			require.NotContains(w.t, at, trigger.ID, "claimed twice")
			at[trigger.ID] = change.At
		}
	}
	return at
}

// No text of a flow with quiet hours is sent inside them, where clocks are changed, too. Each is sent within a day, none after STOP, and a
// backlog sends the same texts as live traffic.
func TestNoTextAtNight(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := drawNights(rt)
		live := n.run(rapidT{TB: t, rt: rt}, false)
		sent := live.claimed()
		for i := range n.at {
			at, found := sent[fmt.Sprintf("%032x", i)]
			n.requireRight(rt, i, at, found)
		}
		require.Len(rt, live.texts.Texts(), len(sent))
		if len(n.stopped) == 0 {
			require.ElementsMatch(rt, keys(sent), keys(n.run(rapidT{TB: t, rt: rt}, true).claimed()))
		}
	})
}

// requireRight checks when the i-th trigger's text was sent.
func (n nights) requireRight(t *rapid.T, i int, at time.Time, found bool) {
	person := n.person(i)
	due := n.from.Add(n.at[i])
	stopped, stops := n.stopped[person]
	quiet := n.sending.QuietHours.AllFlows || flow.RuleOf(n.flows[i]).QuietHours
	switch {
	case !found:
		require.True(t, stops, "no text of trigger %d, and nobody stopped it", i)
		require.Less(t, n.from.Add(stopped).Sub(due), 24*time.Hour+17*time.Minute, "trigger %d was to be sent before STOP", i)
		return
	case stops:
		require.True(t, at.Before(n.from.Add(stopped)), "a text after STOP")
	}
	if !quiet {
		require.LessOrEqual(t, at.Sub(due), 16*time.Minute)
		return
	}
	require.LessOrEqual(t, at.Sub(due), 24*time.Hour+16*time.Minute)
	zone, err := time.LoadLocation(n.people[person].zone)
	require.NoError(t, err)
	local := at.In(zone)
	clock := quiethours.Clock(local.Hour()*60 + local.Minute())
	h := n.sending.QuietHours
	inside := clock >= h.From || clock < h.To
	if h.From < h.To {
		inside = clock >= h.From && clock < h.To
	}
	require.False(t, inside, "%s is inside %s", local, h)
}

func keys(m map[string]time.Time) (list []string) {
	for key := range m {
		list = append(list, key)
	}
	return list
}
