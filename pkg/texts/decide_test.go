package texts_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
)

// noon is the time of all decisions: in New York it is noon.
func noon() time.Time { return time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC) }

// history is what a customer was sent.
type history struct {
	day, charge int
	optOut      bool
	err         error
}

func (h history) OptOutDue(string, string) (bool, error) { return h.optOut, h.err }

func (h history) CountSince(string, string, time.Time) (int, error) { return h.day, h.err }

func (h history) CountOfCharge(string, string, string, flow.Key) (int, error) { return h.charge, h.err }

// world is a store and a text that is due.
type world struct {
	texts.Store

	flow    flow.Flow
	sending sending.Settings
	may     reason.Reason
	message message.Message
	history history
}

func newWorld(t *testing.T, key flow.Key) *world {
	t.Helper()
	zones, err := quiethours.NewFinder("America/New_York", "US")
	require.NoError(t, err)
	w := &world{flow: flow.Flow{Key: key, Text: "Acme: hello {{ first_name }}", Active: true, DailyCap: true}, sending: sending.Default()}
	w.Store = texts.Store{
		Flow: func(flow.Key) flow.Flow { return w.flow }, Sending: func() sending.Settings { return w.sending },
		MayText:       func(string) (reason.Reason, bool) { return w.may, w.may == "" },
		DefaultRegion: "US", Zones: zones, CallWithin: 15 * time.Second,
	}
	w.message = message.Message{ID: "m", Store: "acme", CustomerID: "1", Flow: key, Triggers: []message.Trigger{{Trigger: subscriber.Trigger{
		ID: "t", Flow: key, OccurredAt: noon(), StaleAt: noon().Add(24 * time.Hour),
		Recipient: subscriber.Recipient{Phone: "(212) 555-0123", Country: "US", Province: "NY", FirstName: "Jo"},
		Charge:    &subscriber.Charge{ID: "7"},
	}}}}
	return w
}

func (w *world) decide(now time.Time) (string, message.Decision, error) {
	text, decision, err := w.Decide(&w.message, now, w.history)
	return text.Body, decision, err
}

func TestDecide(t *testing.T) {
	night := noon().Add(12 * time.Hour)
	morning := time.Date(2026, 3, 3, 14, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		change func(*world)
		now    time.Time
		want   message.Decision
	}{
		"sent":                   {func(*world) {}, noon(), message.Decision{}},
		"inactive":               {func(w *world) { w.flow.Active = false }, noon(), message.Decision{Suppress: reason.FlowInactive}},
		"no phone":               {func(w *world) { w.message.Triggers[0].Recipient.Phone = "" }, noon(), message.Decision{Suppress: reason.NoPhone}},
		"invalid phone":          {func(w *world) { w.message.Triggers[0].Recipient.Phone = "12" }, noon(), message.Decision{Suppress: reason.PhoneInvalid}},
		"opted out":              {func(w *world) { w.may = reason.OptedOut }, noon(), message.Decision{Suppress: reason.OptedOut}},
		"consent unknown":        {func(w *world) { w.may = reason.ConsentUnknown }, noon(), message.Decision{Defer: noon().Add(time.Second)}},
		"night without hours":    {func(*world) {}, night, message.Decision{}},
		"night":                  {func(w *world) { w.flow.QuietHours = true }, night, message.Decision{Defer: morning}},
		"night, all flows":       {func(w *world) { w.sending.QuietHours.AllFlows = true }, night, message.Decision{Defer: morning}},
		"day cap at night":       {func(w *world) { w.history.day, w.flow.QuietHours = 4, true }, night, message.Decision{Defer: morning}},
		"day cap":                {func(w *world) { w.history.day = 4 }, noon(), message.Decision{Suppress: reason.Capped}},
		"below the day cap":      {func(w *world) { w.history.day = 3 }, noon(), message.Decision{}},
		"no day cap":             {func(w *world) { w.history.day, w.sending.TextsPerDay = 99, 0 }, noon(), message.Decision{}},
		"flow without a day cap": {func(w *world) { w.history.day, w.flow.DailyCap = 99, false }, noon(), message.Decision{}},
		"charge cap":             {func(w *world) { w.history.charge, w.flow.PerCharge = 2, 2 }, noon(), message.Decision{Suppress: reason.Capped}},
		"below the charge cap":   {func(w *world) { w.history.charge, w.flow.PerCharge = 1, 2 }, noon(), message.Decision{}},
		"no charge cap":          {func(w *world) { w.history.charge = 99 }, noon(), message.Decision{}},
	} {
		w := newWorld(t, flow.ChargePaid)
		test.change(w)
		body, got, err := w.decide(test.now)
		require.NoError(t, err, name)
		assert.Equal(t, test.want.Suppress, got.Suppress, name)
		assert.True(t, test.want.Defer.Equal(got.Defer), "%s: %s", name, got.Defer)
		assert.Equal(t, got.Suppress == "" && got.Defer.IsZero(), body == "Acme: hello Jo", name)
	}
}

// A text may wait at the provider for as long as it then still arrives before quiet hours, which begin at 20:00.
func TestValidFor(t *testing.T) {
	zones, err := quiethours.NewFinder("America/New_York", "US")
	require.NoError(t, err)
	for name, test := range map[string]struct {
		before time.Duration // quiet hours
		quiet  bool
		want   time.Duration
	}{
		"at noon":                    {before: 8 * time.Hour, quiet: true, want: 4 * time.Hour},
		"in the afternoon":           {before: 3 * time.Hour, quiet: true, want: 2 * time.Hour},
		"in the evening":             {before: 50 * time.Minute, quiet: true, want: 30 * time.Minute},
		"at the last moment":         {before: 20 * time.Second, quiet: true, want: 15 * time.Second},
		"a flow without quiet hours": {before: time.Minute, want: 4 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, flow.ChargePaid)
			w.Zones, w.flow.QuietHours = zones, test.quiet
			text, decision, err := w.Decide(&w.message, noon().Add(8*time.Hour-test.before), w.history)
			require.NoError(t, err)
			require.Zero(t, decision)
			assert.Equal(t, test.want, text.ValidFor)
		})
	}
}

// The answer to HELP goes at any hour, three times a day, to each number that has not opted out.
func TestHelp(t *testing.T) {
	w := newWorld(t, flow.Help)
	w.sending.QuietHours.AllFlows, w.sending.TextsPerDay, w.history.day, w.may = true, 1, 2, reason.NotOptedIn
	_, decision, err := w.decide(noon())
	require.NoError(t, err)
	assert.Equal(t, reason.FlowInactive, decision.Suppress, "without a text")
	w.Help = "Acme: help at {{ shop.url }}."
	w.Shop.URL = "https://acme.example"
	body, decision, err := w.decide(noon().Add(12 * time.Hour))
	require.NoError(t, err)
	assert.Zero(t, decision)
	assert.Equal(t, "Acme: help at https://acme.example.", body)
	w.history.day = 3
	_, decision, err = w.decide(noon())
	require.NoError(t, err)
	assert.Equal(t, reason.Capped, decision.Suppress)
	w.may = reason.OptedOut
	_, decision, err = w.decide(noon())
	require.NoError(t, err)
	assert.Equal(t, reason.OptedOut, decision.Suppress)
}

// A text says how to opt out if that is due and the store has words for it.
func TestOptOutText(t *testing.T) {
	w := newWorld(t, flow.ChargePaid)
	w.history.optOut = true
	body, decision, err := w.decide(noon())
	require.NoError(t, err)
	assert.Zero(t, decision)
	assert.Equal(t, "Acme: hello Jo", body)
	w.Shop.OptOut = "Reply STOP to opt out."
	body, decision, err = w.decide(noon())
	require.NoError(t, err)
	assert.Equal(t, message.Decision{OptOut: true}, decision)
	assert.Equal(t, "Acme: hello Jo Reply STOP to opt out.", body)
	w.history.optOut = false
	body, decision, err = w.decide(noon())
	require.NoError(t, err)
	assert.Zero(t, decision)
	assert.Equal(t, "Acme: hello Jo", body)
}

// A text whose call could be made after quiet hours have begun is held back.
func TestQuietHoursAreNear(t *testing.T) {
	w := newWorld(t, flow.ChargePaid)
	w.flow.QuietHours = true
	eight := time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC)
	_, before, err := w.decide(eight.Add(-16 * time.Second))
	require.NoError(t, err)
	assert.Zero(t, before)
	_, near, err := w.decide(eight.Add(-15 * time.Second))
	require.NoError(t, err)
	assert.Equal(t, 13*time.Hour, near.Defer.Sub(eight))
}

func TestNotRendered(t *testing.T) {
	w := newWorld(t, flow.ChargePaid)
	w.flow.Text = "{{ nothing }}"
	_, decision, err := w.decide(noon())
	require.ErrorIs(t, err, texts.ErrNotRendered)
	assert.Equal(t, reason.TextNotRendered, decision.Suppress)
}

func TestHistoryFails(t *testing.T) {
	w := newWorld(t, flow.ChargePaid)
	w.history.err = errors.New("unreadable row")
	_, _, err := w.decide(noon())
	require.ErrorIs(t, err, w.history.err)
	require.NotErrorIs(t, err, texts.ErrNotRendered)
}

// A text has short links, its rows have where they lead, and the code of a link with a secret is one, too.
func TestShortLinks(t *testing.T) {
	w := newWorld(t, flow.ChargePaid)
	codes := []links.Code{"aaaaaaaaaaa", "bbbbbbbbbbb"}
	w.Code = func() links.Code {
		code := codes[0]
		codes = codes[1:]
		return code
	}
	w.LinksTTL = 24 * time.Hour
	w.Shop = flow.Shop{Name: "Acme", URL: "https://acme.example", PortalURL: "https://{shop}/portal/{hash}", LinksURL: "https://go.acme.example"}
	w.flow.Text = "Hello {{ first_name }}, see {{ portal_url }} or {{ shop.url }}."
	w.message.Triggers[0].Recipient.PortalHash = "f99bd4a6"
	text, decision, err := w.Decide(&w.message, noon(), w.history)
	require.NoError(t, err)
	assert.Equal(t, "Acme: Hello Jo, see https://go.acme.example/r/aaaaaaaaaaa or https://go.acme.example/r/bbbbbbbbbbb.", text.Body)
	assert.Equal(t, "Acme: Hello Jo, see https://go.acme.example/r/*** or https://go.acme.example/r/bbbbbbbbbbb.", text.Masked(text.Body))
	require.Len(t, decision.Links, 2)
	assert.Equal(t, noon().Add(24*time.Hour), decision.LinksEnd)
	for i, want := range []string{"https://acme.example/portal/f99bd4a6", "https://acme.example"} {
		code := links.Code([]string{"aaaaaaaaaaa", "bbbbbbbbbbb"}[i])
		assert.Equal(t, code.ID(), decision.Links[i].ID)
		target, err := message.OpenTarget(code, decision.Links[i].Target)
		require.NoError(t, err)
		assert.Equal(t, want, target)
	}
	row := texts.Public(&w.message, text, noon())
	assert.NotContains(t, row.Text, "aaaaaaaaaaa")
	assert.Equal(t, "Acme: Hello J***, see https://go.acme.example/r/*** or https://go.acme.example/r/bbbbbbbbbbb.", row.Masked)
	assert.Equal(t, 1, row.Segments)
	w.Shop.LinksURL = ""
	body, decision, err := w.decide(noon())
	require.NoError(t, err)
	assert.Contains(t, body, "https://acme.example/portal/f99bd4a6")
	assert.Zero(t, decision)
}

// Those who may not see personal data get the text without names and what the customer has written, whatever a filter makes of them.
func TestMasked(t *testing.T) {
	w := newWorld(t, flow.SubscriptionCanceled)
	last := &w.message.Triggers[0]
	w.Shop, last.Charge = flow.Shop{Name: "Acme"}, nil
	last.Subscription = &subscriber.Subscription{ID: "1", ProductTitle: "Coffee", CancellationReason: "Too sweet"}
	for source, want := range map[string]string{
		"{{ first_name | upcase }}, {{ product_title }} is off": "Acme: J***, Coffee is off",
		"{{ subscription.cancellation_reason }}? OK":            "Acme: ***? OK",
		"{{ product_title }} is off":                            "Acme: Coffee is off",
	} {
		w.flow.Text = source
		text, _, err := w.Decide(&w.message, noon(), w.history)
		require.NoError(t, err)
		row := texts.Public(&w.message, text, noon())
		assert.Equal(t, want, row.Masked, source)
	}
}

// A text and its masked form are of one version of the flow, also if it is changed meanwhile.
func TestMaskedIsOfTheSameVersion(t *testing.T) {
	w, version := newWorld(t, flow.ChargePaid), 0
	w.Flow = func(key flow.Key) flow.Flow {
		version++
		return flow.Flow{Key: key, Text: fmt.Sprintf("Acme: hello from version %d", version), Active: true}
	}
	text, _, err := w.Decide(&w.message, noon(), w.history)
	require.NoError(t, err)
	assert.NotEmpty(t, text.Body)
	assert.Equal(t, text.Body, text.Shown)
}
