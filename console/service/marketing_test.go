package service_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/console/service/servicetest"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

func newWorld(t *testing.T) *servicetest.World {
	t.Helper()
	return servicetest.New(t, kafkatest.Embedded(t))
}

func ref[T any](value T) *T { return &value }

// fields are the fields that an error finds fault with.
func fields(err error) (names []string) {
	var invalid *service.InvalidError
	if errors.As(err, &invalid) {
		for _, f := range invalid.Faults {
			names = append(names, f.Field)
		}
	}
	return names
}

// Who changes a flow sees the change at once, and may undo it.
func TestFlowIsChangedAndRestored(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	cards, err := w.Flows(ctx, "acme")
	require.NoError(t, err)
	require.Len(t, cards, 12)
	require.NotNil(t, cards[0].Sent)
	assert.Zero(t, *cards[0].Sent)

	first, err := w.SaveFlow(ctx, "ann", "acme", flow.ChargePaid, service.SaveFlow{Draft: service.Draft{Text: ref("{{ shop_name }}: paid 👍")}})
	require.NoError(t, err)
	assert.True(t, first.Changed)
	assert.Equal(t, 1, first.Flow.Version)
	assert.Equal(t, "ann", first.Flow.By)
	require.Empty(t, first.Warnings)
	second, err := w.SetActive(ctx, "bob", "acme", flow.ChargePaid, service.SetActive{Version: 1, Active: true})
	require.NoError(t, err)
	again, err := w.SetActive(ctx, "bob", "acme", flow.ChargePaid, service.SetActive{Version: 2, Active: true})
	require.NoError(t, err)
	assert.False(t, again.Changed)
	assert.Equal(t, second.Flow, again.Flow)

	info, err := w.Flow(ctx, "acme", flow.ChargePaid)
	require.NoError(t, err)
	assert.Equal(t, 2, info.Version, "what was written is read at once")
	assert.True(t, info.Active)
	assert.Equal(t, "a charge is paid", info.Trigger)
	assert.Contains(t, info.Variables, service.Variable{Name: "shop.name", Sample: "Acme"})

	history, err := w.FlowHistory(ctx, "acme", flow.ChargePaid)
	require.NoError(t, err)
	require.Len(t, history, 3)
	assert.Equal(t, []string{"activated"}, history[0].Changes)
	assert.Equal(t, []string{"text"}, history[1].Changes)
	diff, err := w.FlowDiff(ctx, "acme", flow.ChargePaid, 0, 2)
	require.NoError(t, err)
	assert.Equal(t, []string{"activated", "text"}, diff.Changes)
	assert.Contains(t, diff.Unified, "+  active: true\n")

	undone, err := w.RestoreFlow(ctx, "ann", "acme", flow.ChargePaid, service.RestoreFlow{Version: 2, To: 1})
	require.NoError(t, err)
	assert.False(t, undone.Changed, "that version has another state alone, which is not restored")
	off, err := w.SetActive(ctx, "bob", "acme", flow.ChargePaid, service.SetActive{Version: 2})
	require.NoError(t, err)
	undone, err = w.RestoreFlow(ctx, "ann", "acme", flow.ChargePaid, service.RestoreFlow{Version: 3, To: 2})
	require.NoError(t, err)
	assert.Equal(t, off.Flow, undone.Flow, "an active version does not activate the flow")
	undone, err = w.RestoreFlow(ctx, "ann", "acme", flow.ChargePaid, service.RestoreFlow{Version: 3, To: 0})
	require.NoError(t, err)
	assert.NotEqual(t, off.Flow.Text, undone.Flow.Text)
	assert.Equal(t, 4, undone.Flow.Version)
}

func TestFlowIsNotChanged(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	save := func(version int, d service.Draft) error {
		_, err := w.SaveFlow(ctx, "ann", "acme", flow.ChargePaid, service.SaveFlow{Version: version, Draft: d})
		return err
	}
	require.ErrorIs(t, save(1, service.Draft{Name: ref("x")}), service.ErrConflict)
	assert.Equal(t, []string{"text"}, fields(save(0, service.Draft{Text: ref("{{ frist_name }}")})))
	assert.Equal(t, []string{"window"}, fields(save(0, service.Draft{WindowSeconds: ref(1e300)})))
	assert.Equal(t, []string{""}, fields(save(0, service.Draft{})))
	_, err := w.SaveFlow(ctx, "ann", "nobody", flow.ChargePaid, service.SaveFlow{Draft: service.Draft{Name: ref("x")}})
	require.ErrorIs(t, err, service.ErrNotFound)
	_, err = w.Flow(ctx, "acme", "help")
	require.ErrorIs(t, err, service.ErrNotFound)
	_, err = w.RestoreFlow(ctx, "ann", "acme", flow.ChargePaid, service.RestoreFlow{To: 7})
	assert.Equal(t, []string{"to"}, fields(err))
	_, err = w.FlowDiff(ctx, "acme", flow.ChargePaid, 0, 7)
	require.ErrorIs(t, err, service.ErrNotFound)
	require.NoError(t, save(0, service.Draft{Text: ref("{{ activation_url | default: payment_url }} {{ first_name }}")}))
	_, err = w.SetActive(ctx, "ann", "acme", flow.ChargePaid, service.SetActive{Version: 1, Active: true})
	assert.Equal(t, []string{"active", "active"}, fields(err), "the store lacks both links")
}

// Of two editors who change the same version at the same time, in two processes, one wins.
func TestTwoEditors(t *testing.T) {
	for name, broker := range map[string]func(*testing.T) kafkatest.Broker{
		"embedded": func(t *testing.T) kafkatest.Broker { return kafkatest.Embedded(t) },
		"kafka":    func(t *testing.T) kafkatest.Broker { return kafkatest.Real(t) },
	} {
		t.Run(name, func(t *testing.T) {
			w := servicetest.New(t, broker(t))
			other := service.New(w.Config)
			t.Cleanup(other.Stop)
			errs := make(chan error, 2)
			for who, s := range map[string]*service.Service{"ann": w.Service, "bob": other} {
				go func() {
					_, err := s.SaveFlow(t.Context(), who, "acme", flow.ChargePaid, service.SaveFlow{Draft: service.Draft{Name: ref("by " + who)}})
					errs <- err
				}()
			}
			lost := errors.Join(<-errs, <-errs)
			require.ErrorIs(t, lost, service.ErrConflict)
			history, err := w.FlowHistory(t.Context(), "acme", flow.ChargePaid)
			require.NoError(t, err)
			require.Len(t, history, 2)
			assert.Equal(t, "by "+history[0].By, history[0].Name)
		})
	}
}

// A preview has the values of a customer's last trigger, and shows neither names nor the key of links.
func TestPreview(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.Paid("acme", "7", "1", "Jonathan", "+14155550101")
	w.Paid("acme", "7", "2", "Jonathan", "+14155550101")
	draft := service.Draft{Text: ref("{{ shop_name }}: {{ first_name }} paid {{ total }}, {{ portal_url }}")}
	preview := func(r service.PreviewRequest) (service.FlowPreview, error) {
		r.Draft = draft
		return w.PreviewFlow(ctx, "acme", flow.ChargePaid, r)
	}
	samples, err := preview(service.PreviewRequest{Price: "0.01"})
	require.NoError(t, err)
	require.Len(t, samples.Texts, 1)
	assert.Equal(t, "Acme: Maximiliana paid $1,249.90, https://acme.example/portal/"+flow.SampleHash, samples.Texts[0].Text)
	assert.Equal(t, "0.01", samples.Texts[0].Cost)
	assert.Equal(t, "USD", samples.Texts[0].Currency)
	assert.Empty(t, samples.Faults)

	hidden, err := preview(service.PreviewRequest{Customer: "7"})
	require.NoError(t, err)
	assert.Equal(t, "Acme: J*** paid $20.00, https://acme.example/portal/"+flow.SampleHash, hidden.Texts[0].Text)
	assert.True(t, hidden.Texts[0].Masked)
	revealed, err := preview(service.PreviewRequest{Customer: "7", Reveal: true})
	require.NoError(t, err)
	assert.Equal(t, "Acme: Jonathan paid $20.00, https://acme.example/portal/"+flow.SampleHash, revealed.Texts[0].Text)
	assert.Equal(t, len(revealed.Texts[0].Text), revealed.Texts[0].Characters)
	assert.Equal(t, len(hidden.Texts[0].Text), hidden.Texts[0].Characters)

	_, err = preview(service.PreviewRequest{Customer: "8"})
	require.ErrorIs(t, err, service.ErrNotFound)
	_, err = preview(service.PreviewRequest{Customer: "8/9"})
	assert.Equal(t, []string{"customer"}, fields(err))
	_, err = preview(service.PreviewRequest{Price: "NaN"})
	assert.Equal(t, []string{"price"}, fields(err))

	draft.Text = ref("{{ frist_name }}")
	faulty, err := preview(service.PreviewRequest{})
	require.NoError(t, err)
	assert.Empty(t, faulty.Texts)
	assert.Equal(t, "text", faulty.Faults[0].Field)
	draft.Text = ref("{{ payment_url }} 👍 and more than one part of an SMS that has room for seventy characters only")
	warned, err := preview(service.PreviewRequest{})
	require.NoError(t, err)
	require.Len(t, warned.Texts, 1)
	assert.Equal(t, "active", warned.Faults[0].Field, "the store lacks sms.payment_url")
	assert.Contains(t, warned.Warnings[0].Problem, "👍")
	own, err := w.PreviewFlow(ctx, "platform", flow.ChargePaid, service.PreviewRequest{})
	require.NoError(t, err)
	assert.False(t, own.Rendered)
}

// Who does not reveal personal data gets the same preview whatever a customer is called: a condition in the draft can't ask for the name.
func TestPreviewAnswersNoQuestions(t *testing.T) {
	w := newWorld(t)
	w.Paid("acme", "7", "1", "Jonathan", "+14155550101")
	w.Paid("acme", "8", "2", "Jennifer", "+14155550102")
	preview := func(customer, text string, reveal bool) (service.PreviewText, error) {
		found, err := w.PreviewFlow(t.Context(), "acme", flow.ChargePaid, service.PreviewRequest{
			Draft: service.Draft{Text: ref(text)}, Customer: customer, Price: "0.01", Reveal: reveal,
		})
		if err != nil {
			return service.PreviewText{}, err
		}
		require.Len(t, found.Texts, 1)
		return found.Texts[0], nil
	}
	const is = `{% if first_name == "Jonathan" %}`
	for what, text := range map[string]string{
		"characters": is + "yes{% else %}it is not{% endif %}",
		"encoding":   is + "да{% else %}no{% endif %}",
		"parts":      is + strings.Repeat("yes ", 100) + "{% else %}no{% endif %}",
		"empty":      `{% if first_name != "J***" %}yes{% endif %}`,
		"a fault":    is + "{% else %}no{% endif %}",
		"too long":   is + `{{ "` + strings.Repeat("x", 400) + `" | append: "` + strings.Repeat("x", 400) + `" | append: "` + strings.Repeat("x", 1000) + `" }}{% else %}no{% endif %}`,
	} {
		t.Run(what, func(t *testing.T) {
			one, err := preview("7", text, false)
			require.NoError(t, err)
			other, err := preview("8", text, false)
			require.NoError(t, err)
			other.Customer = one.Customer
			assert.Equal(t, one, other)
			one, errOne := preview("7", text, true)
			other, errOther := preview("8", text, true)
			other.Customer = one.Customer
			assert.Equal(t, what == "empty", assert.ObjectsAreEqual([]any{one, errOne}, []any{other, errOther}), "revealed")
		})
	}
	hidden, err := preview("7", `{% if first_name != "J***" %}yes{% endif %}`, false)
	require.NoError(t, err)
	assert.Equal(t, flow.Preview{About: flow.AboutCharge, Text: "***", Encoding: flow.GSM7, Characters: 3, Parts: 1}, hidden.Preview, "the masked text is empty")
	assert.Equal(t, "0.01", hidden.Cost)
}

// What a draft would have sent is counted; who got it is named by the ID alone.
func TestBacktest(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.Paid("acme", "7", "1", "Jonathan", "+14155550101")
	w.Paid("acme", "8", "2", "Jonathan", "")
	request := service.BacktestRequest{
		Draft: service.Draft{Text: ref("{{ shop_name }}: {{ first_name }} paid"), QuietHours: ref(false)}, Price: "0.01",
	}
	played, err := w.Backtest(ctx, "acme", flow.ChargePaid, request)
	require.NoError(t, err)
	assert.Equal(t, 2, played.Triggers)
	assert.Equal(t, 1, played.Texts)
	assert.Equal(t, "0.01", played.Cost)
	assert.Equal(t, "Acme: J*** paid Reply STOP to opt out.", played.Examples[0].Text)
	request.Reveal = true
	played, err = w.Backtest(ctx, "acme", flow.ChargePaid, request)
	require.NoError(t, err)
	assert.Equal(t, "Acme: Jonathan paid Reply STOP to opt out.", played.Examples[0].Text)

	would, err := w.WouldSend(ctx, "acme", flow.ChargePaid, request.Draft)
	require.NoError(t, err)
	assert.Equal(t, 2, would.LastDay.Triggers)
	require.NotNil(t, would.Waiting)
	assert.Zero(t, *would.Waiting)
	assert.Equal(t, "Acme: J*** paid Reply STOP to opt out.", would.LastDay.Examples[0].Text, "it is the draft that is activated")
	would, err = w.WouldSend(ctx, "acme", flow.ChargePaid, service.Draft{Text: ref("{{ frist_name }}")})
	require.NoError(t, err)
	assert.Equal(t, "text", would.Faults[0].Field)
	assert.Empty(t, w.Provider.Sent(), "nothing is sent")

	for field, change := range map[string]func(*service.BacktestRequest){
		"price":      func(r *service.BacktestRequest) { r.Price = "-1" },
		"examples":   func(r *service.BacktestRequest) { r.Examples = ref(1000) },
		"since":      func(r *service.BacktestRequest) { r.Since = w.Now().Add(time.Hour) },
		"quiet_from": func(r *service.BacktestRequest) { r.QuietFrom = ref("25:00") },
		"text":       func(r *service.BacktestRequest) { r.Draft.Text = ref("{{ nothing }}") },
	} {
		wrong := request
		change(&wrong)
		_, err := w.Backtest(ctx, "acme", flow.ChargePaid, wrong)
		assert.Equal(t, []string{field}, fields(err), field)
	}
	_, err = w.Backtest(ctx, "acme", flow.ChargePaid, service.BacktestRequest{TextsPerDay: ref(500)})
	require.ErrorIs(t, err, service.ErrInvalid)
}

// A test goes to the provider once. It is no text of a customer.
func TestSendTest(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	const number = "+14155552671"
	test := func(who string) (service.TestSent, error) {
		return w.SendTest(ctx, who, "acme", flow.ChargePaid, service.TestRequest{
			Number: " +1 415 555 2671", Draft: service.Draft{Text: ref("{{ shop_name }}: {{ first_name }} paid, {{ payment_url }}")},
		})
	}
	sent, err := test("ann")
	require.NoError(t, err)
	assert.True(t, sent.Accepted)
	assert.Equal(t, "webhook has accepted it", sent.Answer)
	assert.Equal(t, "+14*******71", sent.To)
	assert.Equal(t, 1, sent.Parts)
	require.Len(t, w.Provider.Sent(), 1)
	m := w.Provider.Sent()[0]
	assert.Equal(t, number, m.To)
	assert.Equal(t, sent.Text, m.Body)
	assert.Contains(t, m.Body, "Acme: Maximiliana paid")
	assert.Empty(t, m.CustomerID, "a report of its delivery belongs to nobody")
	assert.Len(t, m.SendKey, 64)

	w.Provider.Refuse(&sms.SendError{Class: sms.Rejected, Code: "http_422", Err: errors.New("the number 14155552671 is a landline")})
	sent, err = test("ann")
	require.NoError(t, err)
	assert.False(t, sent.Accepted)
	assert.Equal(t, "webhook has refused it (http_422): the number 141******71 is a landline", sent.Answer)
	w.Provider.Refuse(errors.New("anything"))
	sent, err = test("ann")
	require.NoError(t, err)
	assert.Equal(t, "unknown", sent.Class)

	_, err = test("ann")
	var limited *service.LimitedError
	require.ErrorAs(t, err, &limited)
	assert.Equal(t, time.Minute, limited.RetryAfter)
	_, err = test("bob")
	require.NoError(t, err, "each person has a limit of their own")
	w.Pass(time.Minute)
	_, err = test("ann")
	require.NoError(t, err)
	require.Len(t, w.Provider.Sent(), 5)

	_, err = w.OptOut(ctx, "ann", "acme", service.ConsentChange{Numbers: []string{number}})
	require.NoError(t, err)
	_, err = test("ann")
	require.ErrorIs(t, err, service.ErrForbidden)
	assert.NotContains(t, err.Error(), number)
	w.Config.Stores[0].Asks = consent.ModeOptIn
	_, err = w.SendTest(ctx, "ann", "acme", flow.ChargePaid, service.TestRequest{Number: "+14155552672"})
	require.ErrorIs(t, err, service.ErrForbidden, "it has not opted in")
	require.Len(t, w.Provider.Sent(), 5)
	assert.Equal(t, 1, w.Logs.FilterMessage("test text sent").Len())
	assert.Equal(t, 4, w.Logs.FilterMessage("test text not accepted").Len())
	for _, entry := range w.Logs.All() {
		for name, value := range entry.ContextMap() {
			assert.NotContains(t, fmt.Sprint(value), "4155552671", name)
			assert.NotContains(t, fmt.Sprint(value), "Maximiliana", name)
		}
	}
	for r, err := range kafka.Scan(ctx, w.Config.Cluster, w.Config.Topics.Messages(), time.Time{}) {
		require.NoError(t, err)
		assert.Fail(t, "recharge.messages has a record", string(r.Value))
	}
}

func TestSendTestOfAPlatform(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	sent, err := w.SendTest(ctx, "ann", "platform", flow.ChargePaid, service.TestRequest{Number: "+14155552671"})
	require.NoError(t, err)
	assert.Empty(t, sent.Text)
	m := w.Provider.Sent()[0]
	assert.Equal(t, "true", m.Values.Variables["is_sample"])
	assert.Equal(t, "$1,249.90", m.Values.Variables["total"])
	_, err = w.SendTest(ctx, "ann", "acme", flow.ChargePaid, service.TestRequest{Number: "4155552671"})
	assert.Equal(t, []string{"number"}, fields(err))
	_, err = w.SendTest(ctx, "ann", "acme", flow.ChargePaid, service.TestRequest{Number: "+14155552671", Draft: service.Draft{Text: ref("{{ x }}")}})
	assert.Equal(t, []string{"text"}, fields(err))
	w.Config.Stores[0].Send = nil
	_, err = w.SendTest(ctx, "ann", "acme", flow.ChargePaid, service.TestRequest{Number: "+14155552671"})
	require.ErrorIs(t, err, service.ErrForbidden)
}

func TestSending(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	now, err := w.SetSending(ctx, "ann", "acme", service.SetSending{QuietFrom: ref("21:00"), TextsPerDay: ref(2), AllFlows: ref(true)})
	require.NoError(t, err)
	assert.Equal(t, 1, now.Version)
	assert.Equal(t, "21:00 to 09:00, US states, all flows", now.QuietHours.String())
	assert.Len(t, now.QuietFlows, 12)
	_, err = w.SetSending(ctx, "bob", "acme", service.SetSending{TextsPerDay: ref(3)})
	require.ErrorIs(t, err, service.ErrConflict)
	_, err = w.SetSending(ctx, "bob", "acme", service.SetSending{Version: 1, QuietTo: ref("9")})
	assert.Equal(t, []string{"quiet_to"}, fields(err))
	_, err = w.SetSending(ctx, "bob", "acme", service.SetSending{Version: 1, QuietTo: ref("16:00")})
	require.ErrorIs(t, err, service.ErrInvalid)
	_, err = w.SetSending(ctx, "bob", "acme", service.SetSending{Version: 1})
	require.ErrorIs(t, err, service.ErrInvalid)

	paused, err := w.Pause(ctx, "ops", "acme", service.Pause{Paused: true, Flows: []flow.Key{flow.ChargePaid}})
	require.NoError(t, err)
	assert.Equal(t, "ops", paused.PausedBy)
	cards, err := w.Flows(ctx, "acme")
	require.NoError(t, err)
	for _, card := range cards {
		assert.Equal(t, card.Key == flow.ChargePaid, card.Paused, card.Key)
	}
	_, err = w.Pause(ctx, "ops", "acme", service.Pause{Paused: true, Flows: []flow.Key{"x"}})
	assert.Equal(t, []string{"flows"}, fields(err))
	resumed, err := w.Pause(ctx, "ops", "acme", service.Pause{})
	require.NoError(t, err)
	assert.Empty(t, resumed.PausedFlows)
	assert.Empty(t, resumed.PausedBy)
	assert.Len(t, resumed.History, 4)
}

func TestConsent(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	change := service.ConsentChange{Numbers: []string{"+1 415 555 2671", "+14155552671", "+447700900456"}, Note: "asked by jo@example.com"}
	changed, err := w.OptOut(ctx, "ann", "acme", change)
	require.NoError(t, err)
	assert.Equal(t, []service.ConsentChanged{
		{Number: "+14*******71", Status: consent.OptedOut, Changed: true}, {Number: "+44********56", Status: consent.OptedOut, Changed: true},
	}, changed)
	change.Numbers = change.Numbers[:1]
	changed, err = w.OptOut(ctx, "ann", "acme", change)
	require.NoError(t, err)
	assert.False(t, changed[0].Changed)
	_, err = w.OptIn(ctx, "bob", "acme", change) // at the same moment, by the clock
	require.NoError(t, err)

	info, err := w.ConsentOf(ctx, "acme", "+14155552671", false)
	require.NoError(t, err)
	assert.Equal(t, "+14*******71", info.Number)
	assert.Equal(t, consent.OptedIn, info.Status)
	assert.True(t, info.MayText)
	require.Len(t, info.History, 2)
	assert.Equal(t, "asked by j***@example.com (by bob)", info.History[0].Detail)
	info, err = w.ConsentOf(ctx, "acme", "+447700900456", true)
	require.NoError(t, err)
	assert.Equal(t, "+447700900456", info.Number)
	assert.False(t, info.MayText)
	assert.Equal(t, "asked by jo@example.com (by ann)", info.History[0].Detail)
	counts, err := w.ConsentCounts(ctx, "acme")
	require.NoError(t, err)
	assert.Equal(t, []int{1, 1}, []int{counts.OptedIn, counts.OptedOut})

	stop, err := consent.New(consent.Change{Store: "acme", Number: "+14155552672", Status: consent.OptedOut, At: w.Now(), By: consent.ByKeyword, Detail: "STOP"})
	require.NoError(t, err)
	_, err = consent.Publish(ctx, w.Config.Produce, w.Config.Topics.Consent(), w.Now(), []consent.Change{stop})
	require.NoError(t, err)
	change.Numbers = []string{"+14155552671", "+14155552672"}
	_, err = w.OptIn(ctx, "ann", "acme", change)
	assert.Equal(t, []string{"numbers[1]"}, fields(err), "it has sent STOP")
	change.DespiteStop = true
	w.Pass(time.Second)
	_, err = w.OptIn(ctx, "ops", "acme", change)
	require.NoError(t, err)
	_, err = w.OptOut(ctx, "ann", "acme", service.ConsentChange{Numbers: []string{"+14155552671", "123"}})
	assert.Equal(t, []string{"numbers[1]"}, fields(err))
	_, err = w.OptOut(ctx, "ann", "acme", service.ConsentChange{})
	assert.Equal(t, []string{"numbers"}, fields(err))
	_, err = w.OptOut(ctx, "ann", "acme", service.ConsentChange{Numbers: []string{"+14155552671"}, Note: strings.Repeat("x", 200)})
	assert.Equal(t, []string{"note"}, fields(err))
}

func TestSegments(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		w.Customer("acme", id, "c"+id+"@example.com", "+1 415 555 010"+id)
		w.Texted("acme", id, strings.Repeat(id, 64), flow.ChargePaid)
	}
	saved, err := w.SaveSegment(ctx, "ann", "acme", service.SaveSegment{Name: "texted", Conditions: "received any in the last 30 days"})
	require.NoError(t, err)
	assert.Equal(t, "received any in 30d", saved.Conditions)
	_, err = w.SaveSegment(ctx, "ann", "acme", service.SaveSegment{Name: "texted", Conditions: "clicked any"})
	require.ErrorIs(t, err, service.ErrConflict)
	other := service.SaveSegment{Name: "texted", Conditions: "clicked any", Replace: true}
	_, err = w.SaveSegment(ctx, "ann", "acme", other)
	assert.Equal(t, []string{"version"}, fields(err))
	other.Version = ref(2)
	_, err = w.SaveSegment(ctx, "ann", "acme", other)
	require.ErrorIs(t, err, service.ErrConflict, "it has version 1")
	_, err = w.SaveSegment(ctx, "ann", "acme", service.SaveSegment{Name: "Texted", Conditions: "clicked any"})
	assert.Equal(t, []string{"name"}, fields(err))
	_, err = w.SaveSegment(ctx, "ann", "acme", service.SaveSegment{Name: "texted", Conditions: "clicked"})
	assert.Equal(t, []string{"conditions"}, fields(err))
	counts, err := w.CountSegments(ctx, "acme", "texted", "not received any")
	require.NoError(t, err)
	assert.Equal(t, 5, counts.Customers)
	assert.Equal(t, []int{5, 0}, []int{counts.Segments[0].Members, counts.Segments[1].Members})

	var ids []string
	page := service.MembersPage{Limit: 2}
	for pages := 1; ; pages++ {
		members, err := w.Members(ctx, "acme", "texted", page)
		require.NoError(t, err)
		for _, m := range members.Members {
			ids = append(ids, m.ID)
			assert.Equal(t, "c***@example.com", m.Email)
			assert.NotContains(t, m.Phone, "415 555")
		}
		if page.After = members.Next; page.After == "" {
			assert.Equal(t, 3, pages)
			break
		}
	}
	assert.ElementsMatch(t, []string{"1", "2", "3", "4", "5"}, ids)
	for _, after := range []string{"!", "MQ", "LTEvMQ"} {
		_, err = w.Members(ctx, "acme", "texted", service.MembersPage{After: after})
		assert.Equal(t, []string{"after"}, fields(err), after)
	}
	var csv bytes.Buffer
	written, err := w.ExportSegment(ctx, "acme", "clicked any or received charge_paid", "csv", true, &csv)
	require.NoError(t, err)
	assert.Equal(t, 5, written)
	assert.Contains(t, csv.String(), "1,c1@example.com,+1 415 555 0101\n")
	_, err = w.ExportSegment(ctx, "acme", "nobody", "csv", true, &csv)
	require.ErrorIs(t, err, service.ErrNotFound)
	_, err = w.ExportSegment(ctx, "acme", "texted", "xml", true, &csv)
	assert.Equal(t, []string{"format"}, fields(err))
	testPush(t, w)
}

// testPush pushes the segment that five customers are members of, and deletes it.
func testPush(t *testing.T, w *servicetest.World) {
	t.Helper()
	ctx := t.Context()
	planned, err := w.PushSegments(ctx, "ann", "acme", service.PushRequest{DryRun: true})
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"texted": 5}, planned.Added)
	assert.Empty(t, w.Profiles.Of("c1@example.com"), "a dry run sends nothing")
	confirmed := 4
	_, err = w.PushSegments(ctx, "ann", "acme", service.PushRequest{Confirm: &confirmed})
	require.ErrorIs(t, err, service.ErrConflict, "another number was confirmed")
	assert.Empty(t, w.Profiles.Of("c1@example.com"))
	confirmed = 5
	pushed, err := w.PushSegments(ctx, "ann", "acme", service.PushRequest{Segments: []string{"texted"}, Confirm: &confirmed})
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"texted": 5}, pushed.Added)
	assert.False(t, pushed.Running)
	assert.Equal(t, map[string]bool{"recharge_segment_texted": true}, w.Profiles.Of("c1@example.com"))
	w.Pass(time.Minute)
	require.ErrorIs(t, w.DeleteSegment(ctx, "ann", "acme", "texted", 2), service.ErrConflict, "it has version 1")
	require.NoError(t, w.DeleteSegment(ctx, "ann", "acme", "texted", 1))
	require.ErrorIs(t, w.DeleteSegment(ctx, "ann", "acme", "texted", 2), service.ErrNotFound)
	list, err := w.Segments(ctx, "acme")
	require.NoError(t, err)
	assert.Empty(t, list)
	pushed, err = w.PushSegments(ctx, "ann", "acme", service.PushRequest{})
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"texted": 5}, pushed.Removed)
	last, err := w.LastPush(ctx, "acme")
	require.NoError(t, err)
	assert.Equal(t, pushed, last)
}

func TestFlowStats(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.Texted("acme", "1", strings.Repeat("a", 64), flow.ChargePaid)
	stats, err := w.FlowStats(ctx, service.StatsRequest{Store: "acme", Total: true})
	require.NoError(t, err)
	require.Len(t, stats.Rows, 1)
	assert.Equal(t, 1, stats.Rows[0].Sent)
	assert.Equal(t, map[string]string{"acme": "America/New_York"}, stats.Zones)
	stats, err = w.FlowStats(ctx, service.StatsRequest{FirstDay: w.Now().AddDate(0, 0, 2).Format(time.DateOnly)})
	require.NoError(t, err)
	assert.Empty(t, stats.Rows)
	_, err = w.FlowStats(ctx, service.StatsRequest{Zone: "Mars"})
	assert.Equal(t, []string{"time_zone"}, fields(err))
	_, err = w.FlowStats(ctx, service.StatsRequest{Flow: "x"})
	assert.Equal(t, []string{"flow"}, fields(err))
	_, err = w.FlowStats(ctx, service.StatsRequest{Store: "x"})
	require.ErrorIs(t, err, service.ErrNotFound)
}
