package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/customerstate"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// For any webhooks in any order with any failures, the guarantees hold when no record waits.
func TestAnySequence(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rapidT{TB: t, rt: rt}, storeConfig{SMS: true, Flows: flowKeys()})
		for id, customer := range apiCustomers() {
			w.api.PutCustomer(id, []byte(`{"customer":`+customer+`}`))
		}
		accepted := 0
		var sent []delivery
		for _, s := range rapid.SliceOfN(steps(), 1, 25).Draw(rt, "steps") {
			w.later(time.Duration(s.seconds) * time.Second)
			w.trouble(s)
			for _, hook := range s.webhooks {
				if hook.again && len(sent) > 0 {
					hook = sent[s.seconds%len(sent)]
				}
				sent = append(sent, hook)
				answer := w.request("/webhooks/acme/"+hook.topic, w.signed([]byte(hook.body)), []byte(hook.body))
				found, _ := recharge.Inspect(recharge.Topic(hook.topic), []byte(hook.body))
				switch {
				case found.OtherResource != "":
					require.Equal(rt, http.StatusBadRequest, answer.Code)
				case !w.topics.down:
					require.Equal(rt, http.StatusOK, answer.Code)
					accepted++
				}
			}
			w.handleAll()
			w.topics.down = false
		}
		for range 3 { // while texts wait, time passes, and what failed may be done
			w.untilNothingIsParked()
			w.untilNothingIsPlanned()
		}
		w.untilNothingIsParked()
		require.Equal(rt, accepted, w.webhooks())
		w.requireGuarantees()
	})
}

// webhooks counts the raw records that the gateway stored.
func (w *world) webhooks() int {
	n := 0
	for _, r := range w.topics.since("recharge.webhooks", 0) {
		if r.Header(envelope.HeaderSource) == envelope.SourceWebhook {
			n++
		}
	}
	return n
}

// rapidT is the testing.TB of one check of a property.
type rapidT struct {
	testing.TB

	rt *rapid.T
}

func (c rapidT) Cleanup(f func())                  { c.rt.Cleanup(f) }
func (c rapidT) Context() context.Context          { return c.rt.Context() }
func (c rapidT) Errorf(format string, args ...any) { c.rt.Errorf(format, args...) }
func (c rapidT) FailNow()                          { c.rt.FailNow() }
func (c rapidT) Helper()                           {}

// step is webhooks that arrive together, after some time, with the failures of that
// time.
type step struct {
	seconds  int
	webhooks []delivery
	trouble  string
	times    int
}

type delivery struct {
	topic, body string
	again       bool // instead, repeat an earlier one
}

func steps() *rapid.Generator[step] {
	return rapid.Custom(func(t *rapid.T) step {
		return step{
			seconds:  rapid.IntRange(0, 90).Draw(t, "seconds"),
			webhooks: rapid.SliceOfN(deliveries(), 0, 4).Draw(t, "webhooks"),
			trouble:  rapid.SampledFrom(append(troubles(), "", "", "", "")).Draw(t, "trouble"),
			times:    rapid.IntRange(1, 3).Draw(t, "times"),
		}
	})
}

func troubles() []string {
	return []string{
		"kafka down", "api down", "api limit", "api locked", "bloomreach down", "bloomreach lost", "gateway limit", "gateway lost", "gateway refuses", "gateway locked",
	}
}

// trouble makes the next calls fail.
func (w *world) trouble(s step) {
	switch s.trouble {
	case "kafka down":
		w.topics.down = true
	case "api down":
		w.api.FailNext(s.times, http.StatusServiceUnavailable, `{}`)
	case "api limit":
		w.api.FailNext(s.times, http.StatusTooManyRequests, `{}`)
	case "api locked":
		w.api.FailNext(s.times, http.StatusUnauthorized, `{"error":"bad authentication"}`)
	case "bloomreach down":
		w.bloomreach.FailNext(s.times, bloomreachtest.Failure{Status: http.StatusInternalServerError})
	case "bloomreach lost":
		w.bloomreach.DropAfterApplying(s.times)
	case "gateway limit":
		w.texts.Next(s.times, smstest.Behaviour{Status: http.StatusTooManyRequests})
	case "gateway lost":
		w.texts.Next(s.times, smstest.Behaviour{Accept: true, Drop: true})
	case "gateway refuses":
		w.texts.Next(s.times, smstest.Behaviour{Status: http.StatusUnprocessableEntity})
	case "gateway locked":
		w.texts.Next(s.times, smstest.Behaviour{Status: http.StatusUnauthorized})
	}
}

// apiCustomers are the customers in the API: the second has no phone. The third is
// not there.
func apiCustomers() map[string]string {
	return map[string]string{"1": customer("1", 0), "2": customer("2", 0)}
}

func customer(id string, minute int) string {
	phone := `"+1415712000` + id + `"`
	if id == "2" {
		phone = "null"
	}
	return fmt.Sprintf(`{"id":%s,"email":"c%s@shop.test","phone":%s,"external_customer_id":{"ecommerce":"9%s"},`+
		`"subscriptions_active_count":%d,"subscriptions_total_count":2,"updated_at":%q}`, id, id, phone, id, minute%2, at(minute))
}

// at is so many minutes after ten.
func at(minute int) string {
	return atTen().Add(time.Duration(minute) * time.Minute).Format(time.RFC3339)
}

// deliveries are of three customers, each with two of each resource. A body depends on
// topic, resource and minute only: the same fact has the same bytes.
func deliveries() *rapid.Generator[delivery] {
	return rapid.Custom(func(t *rapid.T) delivery {
		if rapid.IntRange(0, 9).Draw(t, "malformed") == 0 {
			return delivery{
				topic: rapid.SampledFrom([]string{"subscription/created", "charge/paid", "order/processed", "customer/updated"}).Draw(t, "topic"),
				body:  rapid.SampledFrom([]string{`{}`, `[]`, `null`, `"text"`, `{"subscription":{"id":"x"}}`, `{"charge":{"id":0}}`, `{"customer":{"id":1,"updated_at":"now"}}`}).Draw(t, "body"),
			}
		}
		topic := rapid.SampledFrom(allTopics()).Draw(t, "topic")
		owner := strconv.Itoa(rapid.IntRange(1, 3).Draw(t, "customer"))
		resource := owner + strconv.Itoa(rapid.IntRange(1, 2).Draw(t, "resource"))
		minute := rapid.IntRange(0, 3).Draw(t, "minute")
		body := bodyOf(topic, resource, owner, minute)
		if !strings.HasPrefix(topic, "customer/") && rapid.Bool().Draw(t, "included") {
			body = strings.TrimSuffix(body, "}") + `,"customer":` + customer(owner, 0) + "}"
		}
		return delivery{topic: topic, body: body, again: rapid.IntRange(0, 4).Draw(t, "again") == 0}
	})
}

func allTopics() []string {
	var topics []string
	for _, resource := range []string{"subscription", "charge", "order", "customer", "address"} {
		topics = append(topics, topicsOf(resource)...)
	}
	return topics
}

func bodyOf(topic, id, owner string, minute int) string {
	resource, action, _ := strings.Cut(topic, "/")
	switch resource {
	case "subscription":
		status, cancelled := "active", "null"
		if action == "cancelled" {
			status, cancelled = "cancelled", strconv.Quote(at(minute))
		}
		return fmt.Sprintf(`{"subscription":{"id":%s,"customer_id":%s,"address_id":5,"status":%q,"price":"18.50","quantity":1,`+
			`"next_charge_scheduled_at":"2026-03-31","created_at":%q,"updated_at":%q,"cancelled_at":%s}}`, id, owner, status, at(0), at(minute), cancelled)
	case "charge":
		status := "success"
		if action == "created" && strings.HasSuffix(id, "2") {
			status = "queued"
		}
		return fmt.Sprintf(`{"charge":{"id":%s,"customer":{"id":%s},"address_id":5,"status":%q,"error_type":"CARD_DECLINED","retry_date":"2026-03-04",`+
			`"charge_attempts":%d,"scheduled_at":"2026-03-31","created_at":%q,"processed_at":%q,"updated_at":%q,"line_items":[{"purchase_item_id":%s}]}}`,
			id, owner, status, minute, at(0), at(0), at(minute), id)
	case "order":
		return fmt.Sprintf(`{"order":{"id":%s,"customer":{"id":%s},"charge":{"id":%s},"scheduled_at":"2026-03-31","processed_at":%q,"updated_at":%q}}`,
			id, owner, id, at(0), at(minute))
	case "customer":
		return `{"customer":` + customer(owner, minute) + `}`
	}
	return fmt.Sprintf(`{%q:{"id":%s,"customer_id":%s}}`, resource, id, owner)
}

// untilNothingIsParked runs all stages until no record waits.
func (w *world) untilNothingIsParked() {
	const patience = 200
	for range patience {
		waiting := 0
		for _, stage := range w.stages {
			waiting += len(w.topics.since(stage.Topics[0], w.read[stage.Group+" "+stage.Topics[0]]))
		}
		waiting += w.due()
		if waiting == 0 {
			return
		}
		w.handleAll()
	}
	require.Fail(w.t, "something waits forever", "%v", w.outcomes.all()[max(0, len(w.outcomes.all())-5):])
}

// untilNothingIsPlanned lets time pass until each text has an end.
func (w *world) untilNothingIsPlanned() {
	const patience = 120
	for n := range patience {
		statuses := w.statuses()
		if statuses[message.Planned]+statuses[message.Claimed] == 0 {
			return
		}
		w.later(35 * time.Second)
		if n > patience/2 { // longer than two nights
			w.later(time.Hour)
		}
		w.handleAll()
	}
	require.Fail(w.t, "a text waits forever", "%v", w.messages())
}

// requireGuarantees checks the guarantees when no record waits.
func (w *world) requireGuarantees() {
	events, triggers := w.topics.since("recharge.events", 0), w.topics.since("recharge.sms-triggers", 0)
	require.Equal(w.t, len(w.topics.since("recharge.webhooks", 0)), w.handledBy(topology.RoleTransformer), "one outcome per webhook")
	require.Equal(w.t, len(events), w.handledBy(topology.RoleTracking), "one outcome per event")
	receipts := w.topics.since("recharge.sms-receipts", 0)
	require.Equal(w.t, len(triggers)+len(receipts), w.handledBy(topology.RoleSMS), "one outcome per trigger and receipt")
	require.Len(w.t, w.dead(topology.RoleTransformer), w.outcomes.count("transformer rejected malformed")+w.outcomes.count("transformer rejected customer_unknown"))
	require.Zero(w.t, w.outcomes.count("transformer rejected panic"))
	for _, letter := range w.dead(topology.RoleTransformer) {
		w.checkDeadLetter(letter)
	}
	require.Empty(w.t, w.dead(topology.RoleTracking))
	w.requireOrder(events)
	w.requireOrder(triggers)
	w.requireEmittedOnce(events)
	w.requireTextedOnce()
	w.requireTables()
}

// requireTables checks that the tables have the rows of the final state, and no others.
func (w *world) requireTables() {
	want := map[string]string{}
	for _, customer := range []string{"1", "2", "3"} {
		tx := w.customers().Begin(0)
		m, err := tx.Load(customerstate.Ref{Store: "acme", CustomerID: customer})
		require.NoError(w.t, err)
		tx.Ended(false)
		if row := m.CustomerRow("acme", customer); row != nil {
			want["acme/"+customer] = jsonOf(w.t, row)
		}
		for id, row := range m.SubscriptionRows("acme", customer) {
			want["acme/"+customer+"/"+id] = jsonOf(w.t, row)
		}
	}
	got := map[string]string{}
	for _, topic := range []string{"recharge.customers", "recharge.subscriptions"} {
		for _, r := range w.topics.since(topic, 0) {
			got[string(r.Key)] = string(r.Value)
		}
	}
	maps.DeleteFunc(got, func(_, row string) bool { return row == "" })
	require.Equal(w.t, withoutTimeStamps(want), withoutTimeStamps(got))
}

// withoutTimeStamps removes the time of the snapshot from rows: a row is not written for it alone.
func withoutTimeStamps(rows map[string]string) map[string]string {
	left := map[string]string{}
	for key, row := range rows {
		left[key] = regexp.MustCompile(`"updated_at":"[^"]*",?`).ReplaceAllString(row, "")
	}
	return left
}

func jsonOf(t testing.TB, value any) string {
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// requireOrder checks that a customer's records are in the order of their webhooks, and
// that each was written once.
func (w *world) requireOrder(records []kafka.Record) {
	last, seen := map[string]int{}, map[string]bool{}
	for _, r := range records {
		offset, err := strconv.Atoi(r.Header(envelope.HeaderRawOffset))
		require.NoError(w.t, err)
		require.GreaterOrEqual(w.t, offset, last[string(r.Key)])
		last[string(r.Key)] = offset
		written := r.Header(envelope.HeaderRawOffset) + " " + r.Header(envelope.HeaderCEID)
		require.False(w.t, seen[written], written)
		seen[written] = true
		require.Equal(w.t, string(r.Key), string(w.topics.since("recharge.webhooks", offset)[0].Key))
	}
}

// requireEmittedOnce checks that each fact is one event, which Bloomreach stored once.
func (w *world) requireEmittedOnce(events []kafka.Record) {
	emitted := map[string]bool{}
	for _, r := range events {
		id := r.Header(envelope.HeaderCEID)
		require.False(w.t, emitted[id], id)
		emitted[id] = true
	}
	kept := map[string]int{}
	for _, e := range w.bloomreach.Events() {
		fact, _, _ := strings.Cut(e.CommandID, ":")
		kept[fact]++
		require.Equal(w.t, 1, kept[fact], "%v", e)
	}
	for _, r := range events {
		if r.Header(envelope.HeaderCEType) != "rechargeflow.customer_property" {
			require.Contains(w.t, kept, r.Header(envelope.HeaderCEID))
		}
	}
}

func (w *world) requireTextedOnce() {
	seen := map[string]bool{}
	for _, text := range w.texts.Texts() {
		id, _, _ := strings.Cut(text.ID, "-") // partition and customer follow
		require.False(w.t, seen[id], "%v", text)
		seen[id] = true
	}
	require.Empty(w.t, w.texts.Refused())
	for _, m := range w.messages() {
		if m.Status == message.Accepted {
			require.True(w.t, seen[m.ID], "%v", m)
		}
	}
}
