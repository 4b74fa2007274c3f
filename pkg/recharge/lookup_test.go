package recharge_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

func TestClientLookup(t *testing.T) {
	customer := recharge.LookupRequest{CustomerID: "1", Kind: recharge.LookupCustomer}
	subscriptions := recharge.LookupRequest{CustomerID: "1", Kind: recharge.LookupSubscriptions}
	cancellation := recharge.LookupRequest{CustomerID: "1", Kind: recharge.LookupCancellation, ChargeID: "8", Attempt: 2}
	active := recharge.Subscription{ID: "5", CustomerID: "1", Status: "active"}
	cases := []struct {
		name    string
		on      func(*rechargetest.Server)
		request recharge.LookupRequest
		want    recharge.Lookup
		json    string
	}{
		{
			name: "customer", request: customer,
			want: recharge.Lookup{LookupRequest: customer, Customer: &recharge.Customer{ID: "1", Email: "jo@example.com", PhoneKnown: true, Counted: true}},
			json: `{"customer_id":"1","kind":"customer","customer":{"id":"1","email":"jo@example.com","phone":"","subscriptions_active_count":0}}`,
		},
		{
			name: "subscriptions", request: subscriptions,
			want: recharge.Lookup{LookupRequest: subscriptions, Subscriptions: []recharge.Subscription{active}, Complete: true},
			json: `{"customer_id":"1","kind":"subscriptions","subscriptions":[{"id":"5","customer_id":"1","status":"active"}],"complete":true}`,
		},
		{
			name: "cancellation", request: cancellation,
			want: recharge.Lookup{LookupRequest: cancellation, Subscriptions: []recharge.Subscription{active}, Complete: true},
			json: `{"customer_id":"1","kind":"cancellation","charge_id":"8","attempt":2,"subscriptions":[{"id":"5","customer_id":"1","status":"active"}],"complete":true}`,
		},
		{
			name: "no subscription", request: recharge.LookupRequest{CustomerID: "3", Kind: recharge.LookupSubscriptions},
			want: recharge.Lookup{LookupRequest: recharge.LookupRequest{CustomerID: "3", Kind: recharge.LookupSubscriptions}, Subscriptions: []recharge.Subscription{}, Complete: true},
			json: `{"customer_id":"3","kind":"subscriptions","subscriptions":[],"complete":true}`,
		},
		{
			name: "not found", request: recharge.LookupRequest{CustomerID: "2", Kind: recharge.LookupCustomer},
			want: recharge.Lookup{LookupRequest: recharge.LookupRequest{CustomerID: "2", Kind: recharge.LookupCustomer}, NotFound: true},
			json: `{"customer_id":"2","kind":"customer","not_found":true}`,
		},
		{
			name: "unreadable", request: customer,
			on: func(s *rechargetest.Server) {
				s.FailNext(1, http.StatusOK, `{"customer":{"id":1,"updated_at":"hidden"}}`)
			},
			want: recharge.Lookup{LookupRequest: customer, Unreadable: "recharge api: response can't be decoded: decode customer/read: read customer.updated_at: unknown timestamp format or year out of range"},
			json: `{"customer_id":"1","kind":"customer","unreadable":"recharge api: response can't be decoded: decode customer/read: read customer.updated_at: unknown timestamp format or year out of range"}`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := rechargetest.NewServer("token")
			t.Cleanup(server.Close)
			require.NoError(t, server.Put([]byte(`{"customer":{"id":1,"email":"jo@example.com","phone":null,"subscriptions_active_count":0,"analytics_data":{"a":"secret"}}}`)))
			require.NoError(t, server.Put([]byte(`{"subscription":{"id":5,"customer_id":1,"status":"active","properties":[{"name":"a","value":"secret"}]}}`)))
			if c.on != nil {
				c.on(server)
			}
			got, err := newClient(t, server.URL, "token").Lookup(t.Context(), c.request)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
			raw, err := json.Marshal(got)
			require.NoError(t, err)
			assert.Equal(t, c.json, string(raw))
			back, err := newDecoder(t).Lookup(raw, time.Now())
			require.NoError(t, err)
			assert.Equal(t, c.want, back)
		})
	}
}

func TestLookupFailsUntilLater(t *testing.T) {
	for _, kind := range []recharge.LookupKind{recharge.LookupCustomer, recharge.LookupSubscriptions, recharge.LookupCancellation} {
		for _, status := range []int{401, 403, 409, 429, 500, 503} {
			server := rechargetest.NewServer("token")
			t.Cleanup(server.Close)
			server.FailNext(1, status, `{"error":"no"}`)
			got, err := newClient(t, server.URL, "token").Lookup(t.Context(), recharge.LookupRequest{CustomerID: "1", Kind: kind})
			var answer *recharge.APIError
			require.ErrorAs(t, err, &answer)
			assert.Equal(t, status, answer.Status)
			assert.Equal(t, recharge.Lookup{}, got)
		}
	}
}

// Somebody with more than a record holds loses the oldest, and says so.
func TestLookupFitsIntoARecord(t *testing.T) {
	server := rechargetest.NewServer("token")
	t.Cleanup(server.Close)
	title := strings.Repeat("a long title ", 100)
	for i := 1; i <= 900; i++ {
		require.NoError(t, server.Put(fmt.Appendf(nil, `{"subscription":{"id":%d,"customer_id":1,"product_title":%q}}`, i, title)))
	}
	got, err := newClient(t, server.URL, "token").Lookup(t.Context(), recharge.LookupRequest{CustomerID: "1", Kind: recharge.LookupSubscriptions})
	require.NoError(t, err)
	assert.False(t, got.Complete)
	assert.Len(t, got.Subscriptions, 450)
	assert.Equal(t, "900", got.Subscriptions[0].ID)
	raw, err := json.Marshal(got)
	require.NoError(t, err)
	assert.Less(t, len(raw), 768<<10)
}

func TestDecodeLookupNamesTheFaultAndQuotesNothing(t *testing.T) {
	for raw, says := range map[string]string{
		`hidden`:                       "not valid JSON",
		`["hidden"]`:                   "JSON array",
		`{}`:                           "customer_id is missing",
		`{"kind":"subscriptions"}`:     "customer_id is missing",
		`{"customer_id":1,"kind":"x"}`: "kind",
		`{"customer_id":"hidden"}`:     "field customer_id is string",
		`{"customer_id":1,"kind":"subscriptions","subscriptions":[{"id":1,"customer_id":2}]}`: "another customer",
		`{"customer_id":1,"kind":"subscriptions","subscriptions":["hidden"]}`:                 "field subscriptions is string",
		`{"customer_id":1,"kind":"customer","customer":{"id":2}}`:                             "differs from customer_id",
		`{"customer_id":1,"kind":"customer","customer":{"email":"hidden"}}`:                   "differs from customer_id",
		`{"customer_id":1,"kind":"customer","customer":{"id":1,"updated_at":"hidden"}}`:       "customer.updated_at",
	} {
		got, err := newDecoder(t).Lookup([]byte(raw), time.Now())
		require.ErrorContains(t, err, says, raw)
		assert.NotContains(t, err.Error(), "hidden")
		assert.Equal(t, recharge.Lookup{}, got)
	}
}

// Every field of a customer and of a subscription survives: one that is added later
// and not written fails here.
func TestLookupKeepsEveryField(t *testing.T) {
	want := recharge.Lookup{Customer: &recharge.Customer{}, Subscriptions: []recharge.Subscription{{}}}
	fillIn(t, reflect.ValueOf(&want).Elem())
	fillIn(t, reflect.ValueOf(want.Customer).Elem())
	fillIn(t, reflect.ValueOf(&want.Subscriptions[0]).Elem())
	want.LookupRequest = recharge.LookupRequest{CustomerID: "1", Kind: recharge.LookupCancellation, ChargeID: "8", Attempt: 2}
	want.AnsweredAt = time.Time{}
	want.Customer.Erased, want.Subscriptions[0].Erased = false, false // then the personal data is empty
	want.Customer.Email, want.Subscriptions[0].Email = "jo@example.com", "jo@example.com"
	want.Customer.ID, want.Subscriptions[0].CustomerID = "1", "1"
	raw, err := json.Marshal(want)
	require.NoError(t, err)
	got, err := newDecoder(t).Lookup(raw, time.Now())
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// An erased customer stays one in the JSON of a lookup.
func TestLookupKeepsErasure(t *testing.T) {
	want := recharge.Lookup{
		LookupRequest: recharge.LookupRequest{CustomerID: "1", Kind: recharge.LookupCustomer},
		Customer:      &recharge.Customer{ID: "1", PlatformID: "7", PhoneKnown: true, Erased: true},
		Subscriptions: []recharge.Subscription{{ID: "2", CustomerID: "1", Erased: true}},
	}
	raw, err := json.Marshal(want)
	require.NoError(t, err)
	got, err := newDecoder(t).Lookup(raw, time.Now())
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// fillIn gives each field of a struct a value that any field of its type may have.
func fillIn(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Interface().(type) {
		case string, recharge.LookupKind:
			f.SetString(fmt.Sprint(10 + i))
		case recharge.Date:
			f.SetString("2026-03-01")
		case int:
			f.SetInt(int64(10 + i))
		case bool:
			f.SetBool(true)
		case time.Time:
			f.Set(reflect.ValueOf(time.Date(2026, 3, 1, 12, 0, i, 1000, time.UTC)))
		case recharge.LookupRequest: // of which some fields are no part of the JSON
		case *recharge.Customer, []recharge.Subscription:
		default:
			require.Fail(t, "no value for a field", v.Type().Field(i).Name)
		}
	}
}

// FuzzLookup: what the decoder of webhooks makes of an object of the API is what
// comes back from a lookup that holds it, whatever the API version, and nothing else
// than what it reads is kept.
func FuzzLookup(f *testing.F) {
	files, err := filepath.Glob("testdata/decode/*.json")
	require.NoError(f, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(f, err)
		var fixture struct{ Body json.RawMessage }
		require.NoError(f, json.Unmarshal(raw, &fixture))
		f.Add([]byte(fixture.Body))
	}
	f.Add([]byte(`{"customer_id":"1","kind":"customer","customer":{"id":"1","phone":null}}`))
	f.Add([]byte(`{"customer_id":1.0,"kind":"subscriptions","subscriptions":[{"id":1,"is_prepaid":"1","next_charge_scheduled_at":"2026-03-01T04:00:00Z"}],"complete":1}`))
	f.Add([]byte(`{"customer":{"id":1,"billing_phone":"","number_active_subscriptions":"2","created_at":"2026-03-01T00:00:00"}}`))
	decoder, err := recharge.NewDecoder()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if l, err := decoder.Lookup(raw, time.Now()); err == nil {
			requireSame(t, decoder, l)
		} else {
			require.Equal(t, recharge.Lookup{}, l)
		}
		if w, err := decoder.Decode("customer/read", raw, time.Now()); err == nil {
			requireSame(t, decoder, recharge.Lookup{LookupRequest: recharge.LookupRequest{CustomerID: w.Customer.ID, Kind: recharge.LookupCustomer}, Customer: w.Customer})
		}
		if w, err := decoder.Decode("subscription/read", raw, time.Now()); err == nil {
			owner := w.Subscription.CustomerID
			if owner == "" {
				owner = "1"
			}
			requireSame(t, decoder, recharge.Lookup{
				LookupRequest: recharge.LookupRequest{CustomerID: owner, Kind: recharge.LookupSubscriptions}, Subscriptions: []recharge.Subscription{*w.Subscription}, Complete: true,
			})
		}
	})
}

func requireSame(t *testing.T, decoder *recharge.Decoder, l recharge.Lookup) {
	t.Helper()
	raw, err := json.Marshal(l)
	require.NoError(t, err)
	back, err := decoder.Lookup(raw, time.Now())
	require.NoError(t, err)
	require.Equal(t, l, back)
}
