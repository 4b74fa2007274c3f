package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// joBean is a customer as the API returns them, and as a webhook may include them.
const joBean = `{"id":246936001,"email":"jo.bean@example.com","first_name":"Jo","last_name":"Bean","phone":"+15035550100",` +
	`"hash":"f99bd4a6","subscriptions_active_count":1,"subscriptions_total_count":1,"updated_at":"2026-03-01T10:00:01+00:00"}`

// subscriptionBody is a 2021-11 body of customer 246936001; customer "" includes none.
func subscriptionBody(id, customer string) string {
	body := `{"subscription":{"id":` + id + `,"address_id":178918,"customer_id":246936001,"status":"active","product_title":"House Blend",` +
		`"price":"18.50","quantity":2,"created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:00+00:00"}`
	if customer != "" {
		body += `,"customer":` + customer
	}
	return body + "}"
}

// signed are the headers of a body from Recharge.
func (w *world) signed(body []byte) http.Header {
	h := http.Header{}
	rechargetest.Sign(h, body, secret, w.now)
	return h
}

// raw is a webhook as the gateway stores it, received now.
func (w *world) raw(topic, body string) kafka.Record {
	return kafka.Record{
		Topic: "recharge.webhooks", Key: []byte("acme/246936001"), Value: []byte(body),
		Headers: []kafka.Header{
			{Key: envelope.HeaderRechargeTopic, Value: []byte(topic)},
			{Key: envelope.HeaderStore, Value: []byte(store)},
			{Key: envelope.HeaderReceivedAt, Value: []byte(w.now.Format(time.RFC3339Nano))},
			{Key: envelope.HeaderTraceparent, Value: []byte(traceparent)},
		},
	}
}

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// sinkRecord is a record as the transformer writes it for a sink.
func (w *world) sinkRecord(topic, subject string, offset int, value any) kafka.Record {
	document, err := json.Marshal(value)
	require.NoError(w.t, err)
	require.NoError(w.t, w.schemas.Check(schemas.URN(subject), document))
	return kafka.Record{
		Topic: topic, Offset: int64(offset), Key: []byte("acme/246936001"), Value: document,
		Headers: []kafka.Header{
			{Key: envelope.HeaderCEType, Value: []byte("rechargeflow." + subject)},
			{Key: envelope.HeaderCEDataSchema, Value: []byte(schemas.URN(subject))},
			{Key: envelope.HeaderStore, Value: []byte(store)},
			{Key: envelope.HeaderReceivedAt, Value: []byte(w.now.Format(time.RFC3339Nano))},
			{Key: envelope.HeaderTraceparent, Value: []byte(traceparent)},
		},
	}
}

// eventRecord is that of the n-th subscription, created n seconds after ten.
func (w *world) eventRecord(n int) kafka.Record {
	return w.sinkRecord("recharge.events", schemas.Subscription, n, subscriber.Event{
		ID: fmt.Sprintf("%032x", n), Type: subscriber.EventSubscription, Status: subscriber.StatusCreated, Store: store,
		OccurredAt:         time.Date(2026, 3, 1, 10, 0, n, 0, time.UTC),
		RechargeCustomerID: "246936001", Email: "jo.bean@example.com",
		Subscription: &subscriber.Subscription{ID: strconv.Itoa(n + 1), ProductTitle: "House Blend"},
	})
}

// chargeEvent has several lists and maps of properties.
func chargeEvent() subscriber.Event {
	items := []subscriber.Item{
		{Kind: recharge.KindSubscription, SubscriptionID: "1", ProductID: "8812", VariantID: "99341", Title: "House Blend", Price: "18.50", Quantity: 2},
		{Kind: recharge.KindSubscription, SubscriptionID: "2", ProductID: "8813", VariantID: "99342", Title: "Dark Roast", Price: "21", Quantity: 1},
	}
	return subscriber.Event{
		ID: fmt.Sprintf("%032x", 9), Type: subscriber.EventCharge, Status: subscriber.StatusPaid, Store: store,
		OccurredAt:         time.Date(2026, 3, 1, 10, 0, 0, 123456000, time.UTC),
		RechargeCustomerID: "246936001", Email: "jo.bean@example.com",
		Charge: &subscriber.Charge{ID: "580825303", TotalPrice: "58.00", Currency: "USD", Items: items},
	}
}

func (w *world) eventRecords(n int) []kafka.Record {
	records := make([]kafka.Record, n)
	for i := range records {
		records[i] = w.eventRecord(i)
	}
	return records
}

// triggerRecord is a trigger of the n-th customer. Each has another phone.
func (w *world) triggerRecord(n int) kafka.Record {
	customer := strconv.Itoa(n + 1)
	record := w.sinkRecord("recharge.sms-triggers", schemas.SMSTrigger, n, subscriber.Trigger{
		ID: fmt.Sprintf("%032x", n), Store: store, Flow: flow.SubscriptionStarted,
		Cause: "acme/" + customer + "/subscription_started/178918/", RechargeCustomerID: customer,
		OccurredAt: w.now, StaleAt: w.now.Add(24 * time.Hour), Items: []string{"subscription/" + customer},
		Recipient:    subscriber.Recipient{FirstName: "Jo", Phone: fmt.Sprintf("+1415712%04d", n)},
		Subscription: &subscriber.Subscription{ID: customer, ProductTitle: "House Blend"},
	})
	record.Key = []byte(store + "/" + customer)
	return record
}

// produce writes records to their topic, as the role before would.
func (w *world) produce(records ...kafka.Record) {
	require.NoError(w.t, w.topics.Produce(w.t.Context(), records...))
}

// trackerFunc is a pipeline.Tracker.
type trackerFunc func([]bloomreach.Command) ([]bloomreach.Result, error)

func (f trackerFunc) Batch(_ context.Context, commands []bloomreach.Command) ([]bloomreach.Result, error) {
	return f(commands)
}
