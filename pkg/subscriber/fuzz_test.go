package subscriber_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/schemas"
	"github.com/rechargeflow/rechargeflow/schemas/schematest"
)

// Decide does not panic on any signed body, and its outputs conform to the schemas.
func FuzzDecide(f *testing.F) {
	for _, body := range []string{
		`{"subscription":{"id":784594001,"customer_id":246936001,"address_id":178918,"status":"active","created_at":"2026-03-01T10:00:00+00:00","updated_at":"2026-03-01T10:00:00+00:00","next_charge_scheduled_at":"2026-03-31","price":"18.50","quantity":2}}`,
		`{"subscription":{"id":784594001,"customer_id":246936001,"status":"EXPIRED","cancelled_at":"2026-03-01T10:00:00","email":"jo.bean@example.com","price":18.5}}`,
		`{"subscription":{"id":"784594001"},"customer":{"id":246936001,"email":" Jo@Example.COM","phone":null,"subscriptions_active_count":0}}`,
		`{"charge":{"id":580825303,"status":"success","customer":{"id":246936001,"email":"jo.bean@example.com"},"error_type":"CARD_DECLINED","retry_date":"2026-03-04","charge_attempts":2,"scheduled_at":"2026-03-31","total_price":"41.90","line_items":[{"purchase_item_id":784594001,"quantity":2,"unit_price":"18.50"}],"shipping_address":{"phone":"503 555 0100","country_code":"US"}}}`,
		`{"order":{"id":417810001,"customer":{"id":246936001},"email":"jo.bean@example.com","is_prepaid":1,"charge":{"id":580825303},"processed_at":"2026-03-01T10:00:00","line_items":[{}]}}`,
		`{"customer":{"id":246936001,"email":"jo.bean@example.com","external_customer_id":{"ecommerce":"5213433266347"},"number_active_subscriptions":1,"updated_at":"2026-03-01T10:00:01+00:00"}}`,
		`{"subscription":{"id":1,"customer_id":1,"email":"\ud800\u0000","created_at":"0001-01-01"},"charge":{"id":1},"order":{"id":1},"customer":{"id":1}}`,
		`{"subscription":null,"charge":[],"order":0,"customer":""}`,
		`{"charge":{"id":1,"customer_id":1,"email":"x","line_items":[null,{"price":"-00.10"}]}}`,
		`{}`, `null`, `[]`, ``,
	} {
		for topic := range usedTopics() {
			f.Add(byte(topic), byte(topic), []byte(body))
		}
	}
	decoder, err := recharge.NewDecoder()
	require.NoError(f, err)
	validator, err := schematest.New()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, topic, switches byte, body []byte) {
		topics := usedTopics()
		w, err := decoder.Decode(topics[int(topic)%len(topics)], body, start())
		if err != nil {
			return
		}
		c := aCase{settings: switched(switches), state: &subscriber.State{}, webhook: w, at: start().Add(5 * time.Second)}
		decision, after, err := subscriber.Decide(c.settings, c.state, c.webhook, c.at)
		var needed *subscriber.LookupNeeded
		if errors.As(err, &needed) {
			who := jo(start())
			who.ID = needed.CustomerID
			c.state = stateAfterLookup(c.settings, who)
			decision, after, err = subscriber.Decide(c.settings, c.state, c.webhook, c.at)
			require.NotErrorAs(t, err, &needed)
		}
		if err != nil {
			require.ErrorIs(t, err, subscriber.ErrCustomerUnknown)
			return
		}
		requireTables(t, validator, w.CustomerID(), after)
		requireSchemas(t, validator, decision)
	})
}

// switched chooses the store's settings by the lowest bits.
func switched(bits byte) subscriber.Settings {
	s := subscriber.Settings{
		Store: store, CustomerID: subscriber.ByEmail, SMS: bits&1 != 0, ActiveProperty: bits&2 != 0, API: bits&8 != 0,
	}
	if bits&4 != 0 {
		s.CustomerID = subscriber.ByRechargeID
	}
	return s
}

// requireTables requires the state to conform to the schemas of the public tables, and to be the same after saving and loading.
func requireTables(t *testing.T, validator *schematest.Validator, customer string, m *subscriber.State) {
	t.Helper()
	if customer == "" {
		return // no state is saved
	}
	check := func(subject string, value any) {
		document, err := json.Marshal(value)
		require.NoError(t, err)
		require.NoError(t, validator.Check(schemas.URN(subject), document), "%s", document)
	}
	if row := m.CustomerRow(store, customer); row != nil {
		check(schemas.Customers, row)
	}
	for _, row := range m.SubscriptionRows(store, customer) {
		check(schemas.Subscriptions, row)
	}
	rows := newRows()
	require.NoError(t, rows.save(customer, &subscriber.State{}, m))
	again, err := rows.load(customer)
	require.NoError(t, err)
	require.Equal(t, deep(m), deep(again))
}

func requireSchemas(t *testing.T, validator *schematest.Validator, d subscriber.Decision) {
	t.Helper()
	check := func(subject string, value any) {
		document, err := json.Marshal(value)
		require.NoError(t, err)
		require.NoError(t, validator.Check(schemas.URN(subject), document), "%s", document)
	}
	for _, e := range d.Events {
		check(string(e.Type), e)
	}
	for _, trigger := range d.Triggers {
		check(schemas.SMSTrigger, trigger)
	}
	for _, revocation := range d.Revocations {
		check(schemas.SMSRevocation, revocation)
	}
}

// An event is decoded as encoding/json does, with the same errors, unless it lacks the object of its type.
func FuzzEvent(f *testing.F) {
	for _, value := range []string{
		`{"id":"9f1c","type":"subscription","status":"created","store":"acme","occurred_at":"2026-03-01T10:00:00.000001Z","recharge_customer_id":"7","email":"jo@example.com","subscription":{"id":"71","price":"18.50","quantity":2,"next_charge_date":"2026-03-31","is_prepaid":true,"created_at":"2026-03-01T10:00:00Z"}}`,
		`{"type":"subscription_charge","charge":{"id":"1","items":[null,{"title":"é\u00e9\"","quantity":1}],"processed_at":null,"attempts":1e2,"items":[]}}`,
		`{"type":"customer_change","customer":{"changed":["email",null],"active_subscriptions":0,"total_subscriptions":null,"created_at":"2026-02-30T00:00:00Z"}}`,
		`{"type":"customer_property","property":{"name":"recharge_subscription_active","value":false},"Property":{"value":true}}`,
		`{"type":"subscription","subscription":null}`, `{"type":"subscription","subscription":{"quantity":99999999999999999999}}`, `{"type":1,"occurred_at":0}`,
		"{\"type\":\"customer_change\",\"customer\":{\"first_name\":\"\xff\u2028<&>\",\"First_name\":\"Jo\",\"email\":{}}}",
		`{"customer":{"active_subscriptions":1.0}}`, `{"id":"a","id":"b"}{}`, `[]`, `null`, ``,
	} {
		f.Add([]byte(value))
	}
	decoder := subscriber.NewEventDecoder(subscriber.Portal{})
	f.Fuzz(func(t *testing.T, value []byte) {
		var want subscriber.Event
		wantErr := json.Unmarshal(value, &want)
		got, err := decoder.Decode(value)
		switch {
		case wantErr != nil:
			require.EqualError(t, err, "decode event: "+wantErr.Error())
		case err != nil:
			require.EqualError(t, err, string(want.Type)+" event lacks its object")
			fallthrough
		default:
			require.Equal(t, want, got)
		}
	})
}
