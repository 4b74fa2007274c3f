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

func TestClientAsk(t *testing.T) {
	identity := recharge.Question{CustomerID: "1", For: recharge.ForIdentity}
	flag := recharge.Question{CustomerID: "1", For: recharge.ForFlag}
	cancellation := recharge.Question{CustomerID: "1", For: recharge.ForCancellation, ChargeID: "8", Attempt: 2}
	active := recharge.Subscription{ID: "5", CustomerID: "1", Status: "active"}
	cases := []struct {
		name string
		on   func(*rechargetest.Server)
		asks recharge.Question
		want recharge.Lookup
		json string
	}{
		{
			name: "identity", asks: identity,
			want: recharge.Lookup{Question: identity, Customer: &recharge.Customer{ID: "1", Email: "jo@example.com", PhoneKnown: true, Counted: true}},
			json: `{"customer_id":"1","asked_for":"identity","customer":{"id":"1","email":"jo@example.com","phone":"","subscriptions_active_count":0}}`,
		},
		{
			name: "flag", asks: flag,
			want: recharge.Lookup{Question: flag, Subscriptions: []recharge.Subscription{active}, Complete: true},
			json: `{"customer_id":"1","asked_for":"flag","subscriptions":[{"id":"5","customer_id":"1","status":"active"}],"complete":true}`,
		},
		{
			name: "cancellation", asks: cancellation,
			want: recharge.Lookup{Question: cancellation, Subscriptions: []recharge.Subscription{active}, Complete: true},
			json: `{"customer_id":"1","asked_for":"cancellation","charge_id":"8","attempt":2,"subscriptions":[{"id":"5","customer_id":"1","status":"active"}],"complete":true}`,
		},
		{
			name: "no subscription", asks: recharge.Question{CustomerID: "3", For: recharge.ForFlag},
			want: recharge.Lookup{Question: recharge.Question{CustomerID: "3", For: recharge.ForFlag}, Subscriptions: []recharge.Subscription{}, Complete: true},
			json: `{"customer_id":"3","asked_for":"flag","subscriptions":[],"complete":true}`,
		},
		{
			name: "not found", asks: recharge.Question{CustomerID: "2", For: recharge.ForIdentity},
			want: recharge.Lookup{Question: recharge.Question{CustomerID: "2", For: recharge.ForIdentity}, NotFound: true},
			json: `{"customer_id":"2","asked_for":"identity","not_found":true}`,
		},
		{
			name: "unreadable", asks: identity,
			on: func(s *rechargetest.Server) {
				s.FailNext(1, http.StatusOK, `{"customer":{"id":1,"created_at":"hidden"}}`)
			},
			want: recharge.Lookup{Question: identity, Unreadable: "recharge api: answer is not readable: decode customer/read: read customer.created_at: not a timestamp that Recharge is known to send"},
			json: `{"customer_id":"1","asked_for":"identity","unreadable":"recharge api: answer is not readable: decode customer/read: read customer.created_at: not a timestamp that Recharge is known to send"}`,
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
			got, err := newClient(t, server.URL, "token").Ask(t.Context(), c.asks)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
			raw, err := json.Marshal(got)
			require.NoError(t, err)
			assert.Equal(t, c.json, string(raw))
			back, err := newDecoder(t).Lookup(raw)
			require.NoError(t, err)
			assert.Equal(t, c.want, back)
		})
	}
}

func TestClientAskAgainLater(t *testing.T) {
	for _, purpose := range []recharge.Purpose{recharge.ForIdentity, recharge.ForFlag, recharge.ForCancellation} {
		for _, status := range []int{401, 403, 409, 429, 500, 503} {
			server := rechargetest.NewServer("token")
			t.Cleanup(server.Close)
			server.FailNext(1, status, `{"error":"no"}`)
			got, err := newClient(t, server.URL, "token").Ask(t.Context(), recharge.Question{CustomerID: "1", For: purpose})
			var answer *recharge.APIError
			require.ErrorAs(t, err, &answer)
			assert.Equal(t, status, answer.Status)
			assert.Equal(t, recharge.Lookup{}, got)
		}
	}
}

// Somebody with more than a record holds loses the oldest, and it is told.
func TestClientAskFitsIntoARecord(t *testing.T) {
	server := rechargetest.NewServer("token")
	t.Cleanup(server.Close)
	title := strings.Repeat("a long title ", 100)
	for i := 1; i <= 900; i++ {
		require.NoError(t, server.Put(fmt.Appendf(nil, `{"subscription":{"id":%d,"customer_id":1,"product_title":%q}}`, i, title)))
	}
	got, err := newClient(t, server.URL, "token").Ask(t.Context(), recharge.Question{CustomerID: "1", For: recharge.ForFlag})
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
		`hidden`:                            "not valid JSON",
		`["hidden"]`:                        "JSON array",
		`{}`:                                "customer_id is missing",
		`{"asked_for":"flag"}`:              "customer_id is missing",
		`{"customer_id":1,"asked_for":"x"}`: "asked_for",
		`{"customer_id":"hidden"}`:          "field customer_id holds string",
		`{"customer_id":1,"asked_for":"flag","subscriptions":[{"id":1,"customer_id":2}]}`:    "another customer",
		`{"customer_id":1,"asked_for":"flag","subscriptions":["hidden"]}`:                    "field subscriptions holds string",
		`{"customer_id":1,"asked_for":"identity","customer":{"id":2}}`:                       "not the one",
		`{"customer_id":1,"asked_for":"identity","customer":{"email":"hidden"}}`:             "not the one",
		`{"customer_id":1,"asked_for":"identity","customer":{"id":1,"created_at":"hidden"}}`: "customer.created_at",
	} {
		got, err := newDecoder(t).Lookup([]byte(raw))
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
	want.CustomerID, want.For = "1", recharge.ForFlag
	want.Customer.ID, want.Subscriptions[0].CustomerID = "1", "1"
	raw, err := json.Marshal(want)
	require.NoError(t, err)
	got, err := newDecoder(t).Lookup(raw)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// fillIn gives each field of a struct a value that any field of its type may have.
func fillIn(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Interface().(type) {
		case string, recharge.Purpose:
			f.SetString(fmt.Sprint(10 + i))
		case recharge.Date:
			f.SetString("2026-03-01")
		case int:
			f.SetInt(int64(10 + i))
		case bool:
			f.SetBool(true)
		case time.Time:
			f.Set(reflect.ValueOf(time.Date(2026, 3, 1, 12, 0, i, 1000, time.UTC)))
		case recharge.Question:
			fillIn(t, f)
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
	f.Add([]byte(`{"customer_id":"1","asked_for":"identity","customer":{"id":"1","phone":null}}`))
	f.Add([]byte(`{"customer_id":1.0,"asked_for":"flag","subscriptions":[{"id":1,"is_prepaid":"1","next_charge_scheduled_at":"2026-03-01T04:00:00Z"}],"complete":1}`))
	f.Add([]byte(`{"customer":{"id":1,"billing_phone":"","number_active_subscriptions":"2","created_at":"2026-03-01T00:00:00"}}`))
	decoder, err := recharge.NewDecoder()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if l, err := decoder.Lookup(raw); err == nil {
			requireSame(t, decoder, l)
		} else {
			require.Equal(t, recharge.Lookup{}, l)
		}
		if w, err := decoder.Decode("customer/read", raw); err == nil {
			requireSame(t, decoder, recharge.Lookup{Question: recharge.Question{CustomerID: w.Customer.ID, For: recharge.ForIdentity}, Customer: w.Customer})
		}
		if w, err := decoder.Decode("subscription/read", raw); err == nil {
			owner := w.Subscription.CustomerID
			if owner == "" {
				owner = "1"
			}
			requireSame(t, decoder, recharge.Lookup{
				Question: recharge.Question{CustomerID: owner, For: recharge.ForFlag}, Subscriptions: []recharge.Subscription{*w.Subscription}, Complete: true,
			})
		}
	})
}

func requireSame(t *testing.T, decoder *recharge.Decoder, l recharge.Lookup) {
	t.Helper()
	raw, err := json.Marshal(l)
	require.NoError(t, err)
	back, err := decoder.Lookup(raw)
	require.NoError(t, err)
	require.Equal(t, l, back)
}
