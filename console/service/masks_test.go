package service_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/console/service/servicetest"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
)

// readWithin is how long the read model may take.
const readWithin = 30 * time.Second

// textOf writes a text of a customer as it was sent, and waits until the console has read it.
func textOf(w *servicetest.World, customer string, of message.Text, status message.Status) (id string) {
	w.Helper()
	id = strings.Repeat(customer, 64)
	w.Write(w.Config.Topics.Messages(), "acme", customer, "rechargeflow.message", message.Change{
		ID: id, Store: "acme", RechargeCustomerID: customer, Flow: flow.SubscriptionCanceled, Cause: "cause", Change: 1, At: w.Now(), Status: status,
		Triggers: []message.ChangeTrigger{},
	})
	of.ID, of.Store, of.RechargeCustomerID, of.Flow, of.ClaimedAt = id, "acme", customer, flow.SubscriptionCanceled, w.Now()
	w.Write(w.Config.Topics.MessageTexts(), "acme", customer+"/"+id, "rechargeflow.message_text", of)
	require.Eventually(w, func() bool {
		found, err := w.Text(w.Context(), "acme", id, true)
		return err == nil && (found.Text != "" || len(found.Variables) > 0)
	}, readWithin, time.Millisecond)
	return id
}

// Who does not reveal personal data sees what was sent without names and what the customer has written.
func TestTextsAreMasked(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	sent, masked := "Bye Jonathan. You said: too sweet", "Bye J***. You said: ***"
	id := textOf(w, "7", message.Text{Text: sent, Masked: masked, Segments: 1}, message.Delivered)
	textOf(w, "8", message.Text{Text: "Acme: paused", Masked: "Acme: paused", Segments: 1}, message.Delivered)

	one, err := w.Text(ctx, "acme", id, false)
	require.NoError(t, err)
	assert.Equal(t, masked, one.Text)
	one, err = w.Text(ctx, "acme", id, true)
	require.NoError(t, err)
	assert.Equal(t, sent, one.Text)

	customer, err := w.Service.Customer(ctx, "acme", "7", false)
	require.NoError(t, err)
	assert.Equal(t, masked, customer.Texts[0].Text)
	customer, err = w.Service.Customer(ctx, "acme", "7", true)
	require.NoError(t, err)
	assert.Equal(t, sent, customer.Texts[0].Text)

	all, err := w.Texts(ctx, service.TextQuery{Store: "acme"})
	require.NoError(t, err)
	overview, err := w.Overview(ctx, "acme")
	require.NoError(t, err)
	for _, rows := range [][]service.TextRow{all.Texts, overview.RecentTexts} {
		require.Len(t, rows, 2)
		assert.ElementsMatch(t, []string{masked, "Acme: paused"}, []string{rows[0].Text, rows[1].Text})
	}
}

// A row of an earlier version has no masked text, and its text may have names: it is not shown.
func TestTextOfAnEarlierVersionIsMasked(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	id := textOf(w, "7", message.Text{Text: "Bye Jonathan", Segments: 1}, message.Delivered)
	one, err := w.Text(ctx, "acme", id, false)
	require.NoError(t, err)
	assert.Equal(t, "***", one.Text)
	customer, err := w.Service.Customer(ctx, "acme", "7", false)
	require.NoError(t, err)
	assert.Equal(t, "***", customer.Texts[0].Text)
	one, err = w.Text(ctx, "acme", id, true)
	require.NoError(t, err)
	assert.Equal(t, "Bye Jonathan", one.Text)
}

// The values of a text that the destination renders are masked by their names.
func TestVariablesAreMasked(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	values := map[string]string{
		"first_name": "Jonathan", "customer.last_name": "Featherstone", "portal_url": "https://acme.example/portal/***", "subscription.cancellation_reason": "too sweet",
		"product_title": "Coffee", "next_charge_date": "2026-03-01", "shop_name": "Acme",
	}
	id := textOf(w, "7", message.Text{Variables: values}, message.Delivered)
	one, err := w.Text(ctx, "acme", id, false)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"first_name": "J***", "customer.last_name": "F***", "portal_url": "***", "subscription.cancellation_reason": "***",
		"product_title": "Coffee", "next_charge_date": "2026-03-01", "shop_name": "Acme",
	}, one.Variables)
	one, err = w.Text(ctx, "acme", id, true)
	require.NoError(t, err)
	assert.Equal(t, values, one.Variables)
}

// What a customer has written is in no example of an event.
func TestExamplesHaveNoWordsOfCustomers(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.Write(w.Config.Topics.Events(), "acme", "7", "rechargeflow.subscription", map[string]any{
		"id": strings.Repeat("a", 32), "store": "acme", "type": "subscription", "status": "canceled", "recharge_customer_id": "7", "occurred_at": w.Now(),
		"email":        "jo@example.com",
		"subscription": map[string]any{"id": "1", "product_title": "Coffee", "cancellation_reason": "too sweet", "cancellation_reason_comments": "like syrup"},
	})
	var example string
	require.Eventually(t, func() bool {
		kinds, err := w.Events(ctx, "acme")
		if err != nil || len(kinds) == 0 {
			return false
		}
		example = string(kinds[0].Example)
		return example != ""
	}, readWithin, time.Millisecond)
	assert.Contains(t, example, `"product_title":"Coffee"`)
	assert.Contains(t, example, `"cancellation_reason":"***"`)
	for _, personal := range []string{"too sweet", "syrup", "jo@"} {
		assert.NotContains(t, example, personal)
	}
}

// A search for the whole finds nobody by a part, by a name, or by the words of a text.
func TestSearchForTheWhole(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.Customer("acme", "7", "Jo.Feather@example.com", "(415) 555-0101")
	w.Customer("acme", "8", "jo.feather@example.com.au", "+14155550102")
	textOf(w, "7", message.Text{Text: "Bye Jonathan", Masked: "Bye J***", Segments: 1}, message.Delivered)
	find := func(search string, whole bool) (customers, texts []string) {
		found, err := w.Customers(ctx, service.CustomerQuery{Store: "acme", Search: search, Whole: whole})
		require.NoError(t, err)
		for _, c := range found.Customers {
			customers = append(customers, c.ID)
		}
		sent, err := w.Texts(ctx, service.TextQuery{Store: "acme", Search: search, Whole: whole})
		require.NoError(t, err)
		for _, each := range sent.Texts {
			texts = append(texts, each.CustomerID)
		}
		return customers, texts
	}
	require.Eventually(t, func() bool {
		customers, _ := find("jo.feather", false)
		return len(customers) == 2
	}, readWithin, time.Millisecond)
	for _, part := range []string{"jo", "jo.feather", "jo.feather@example", "0101", "+1415555010", "555-0101", "Jonathan", "bye", "example.com"} {
		customers, texts := find(part, true)
		assert.Empty(t, customers, part)
		assert.Empty(t, texts, part)
	}
	for _, whole := range []string{"7", "jo.feather@example.com", "+14155550101", "+1 (415) 555-0101", "415 555 0101"} {
		customers, texts := find(whole, true)
		assert.Equal(t, []string{"7"}, customers, whole)
		assert.Equal(t, []string{"7"}, texts, whole)
	}
	_, texts := find("Jonathan", false)
	assert.Equal(t, []string{"7"}, texts)
}

// Who found out the outcome of a text stays legible, also if it is an e-mail; what they noted is masked.
func TestResolvedByWhom(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	id := textOf(w, "7", message.Text{Text: "Acme: paused", Segments: 1}, message.Unknown)
	require.NoError(t, w.Resolve(ctx, "ann@example.com", service.Resolution{Store: "acme", ID: id, Outcome: "delivered", Note: "in the list of jo@example.com"}))
	const want = "found out by ann@example.com: in the list of j***@example.com"
	receipt := lastReceipt(ctx, t, w)
	assert.Equal(t, want, receipt.Error)
	w.Write(w.Config.Topics.Messages(), "acme", "7", "rechargeflow.message", message.Change{ // as the sms role writes it
		ID: id, Store: "acme", RechargeCustomerID: "7", Flow: flow.SubscriptionCanceled, Cause: "cause", Change: 2, At: w.Now(), Status: message.Delivered,
		Triggers: []message.ChangeTrigger{}, Code: receipt.Code, Error: receipt.Error,
	})
	require.Eventually(t, func() bool {
		found, err := w.Text(ctx, "acme", id, false)
		return err == nil && found.Status == string(message.Delivered) && found.Error == want && found.Life[1].Error == want
	}, readWithin, time.Millisecond)
}

// Only who found out an outcome stays legible, whatever comes with the code of it.
func TestResolvedCodeMasks(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	for customer, tt := range map[string]struct{ words, want string }{
		"1": {"call +14155552671", "call +14*******71"},
		"2": {"found out by ann@example.com: call +14155552671: now", "found out by ann@example.com: call +14*******71: now"},
		"3": {"found out by ann@example.com", "found out by ann@example.com"},
	} {
		id := textOf(w, customer, message.Text{Text: "Acme: paused", Segments: 1}, message.Unknown)
		w.Write(w.Config.Topics.Messages(), "acme", customer, "rechargeflow.message", message.Change{
			ID: id, Store: "acme", RechargeCustomerID: customer, Flow: flow.SubscriptionCanceled, Cause: "cause", Change: 2, At: w.Now(), Status: message.Delivered,
			Triggers: []message.ChangeTrigger{}, Code: message.CodeResolved, Error: tt.words,
		})
		got := ""
		require.Eventually(t, func() bool {
			found, err := w.Text(ctx, "acme", id, false)
			got = found.Error
			return err == nil && got != ""
		}, readWithin, time.Millisecond)
		assert.Equal(t, tt.want, got)
	}
}

// lastReceipt returns the receipt that was written.
func lastReceipt(ctx context.Context, t *testing.T, w *servicetest.World) (last message.Receipt) {
	t.Helper()
	reader, err := kafka.NewTopicReader(w.Config.Cluster, w.Config.Topics.Receipts())
	require.NoError(t, err)
	defer reader.Close()
	partitions, err := reader.Partitions(ctx)
	require.NoError(t, err)
	ranges, err := reader.OffsetRanges(ctx, partitions...)
	require.NoError(t, err)
	for partition, part := range ranges {
		for r, err := range reader.Read(ctx, partition, part) {
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(r.Value, &last))
		}
	}
	return last
}
