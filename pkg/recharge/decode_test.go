package recharge_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestDecode decodes each testdata/decode/*.json and compares the result with its .golden file.
func TestDecode(t *testing.T) {
	files, err := filepath.Glob("testdata/decode/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	decoder := newDecoder(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			var fixture struct {
				Topic recharge.Topic
				Body  json.RawMessage
			}
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(raw, &fixture))
			webhook, err := decoder.Decode(fixture.Topic, fixture.Body, time.Now())
			require.NoError(t, err)
			got, err := json.MarshalIndent(webhook, "", "  ")
			require.NoError(t, err)
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got)+"\n")
			found, valid := recharge.Inspect(fixture.Topic, fixture.Body)
			assert.True(t, valid)
			assert.Equal(t, found.CustomerID, webhook.CustomerID(), "the gateway's scan and the decoder must agree on the customer")
		})
	}
}

func newDecoder(t *testing.T) *recharge.Decoder {
	t.Helper()
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	return decoder
}

// The customer's own name and phone are beside their id, or in the customer object of a charge or an order.
func TestContact(t *testing.T) {
	for fields, want := range map[string]recharge.Contact{
		`"first_name": "Jo", "last_name": "Bean"`:                                            {FirstName: "Jo", LastName: "Bean"},
		`"customer": {"first_name": "Jo", "last_name": "Bean", "phone": "503 555 0100"}`:     {FirstName: "Jo", LastName: "Bean", Phone: "503 555 0100"},
		`"last_name": "Bean", "customer": {"first_name": "Joanna", "phone": "503 555 0100"}`: {LastName: "Bean", Phone: "503 555 0100"},
		`"billing_address": {"first_name": "Jo"}, "shipping_address": {"phone": "4155550102"}`: {
			Billing: recharge.Address{FirstName: "Jo"}, Shipping: recharge.Address{Phone: "4155550102"},
		},
	} {
		w, err := newDecoder(t).Decode("charge/paid", []byte(`{"charge": {"id": 1, `+fields+`}}`), start(t))
		require.NoError(t, err)
		assert.Equal(t, want, w.Charge.Contact, fields)
		w, err = newDecoder(t).Decode("order/processed", []byte(`{"order": {"id": 1, `+fields+`}}`), start(t))
		require.NoError(t, err)
		assert.Equal(t, want, w.Order.Contact, fields)
	}
}

// A text that was cut in the middle of a character ends before it.
func TestTextCutInACharacter(t *testing.T) {
	for encoded, want := range map[string]string{
		`Beans \ud83c`: "Beans", `\udf31 Beans`: "Beans", "Beans \xf0\x9f": "Beans", `Beans \ud83c\udf31`: "Beans \U0001f331", "Beans \U0001f331": "Beans \U0001f331",
	} {
		w, err := newDecoder(t).Decode("subscription/updated", []byte(`{"subscription": {"id": 1, "product_title": "`+encoded+`"}}`), start(t))
		require.NoError(t, err)
		assert.Equal(t, want, w.Subscription.ProductTitle, encoded)
	}
}

func TestDecodeErrorsNameTheFieldOnly(t *testing.T) {
	cases := []struct{ name, topic, body, says string }{
		{"object for a number", "subscription/created", `{"subscription":{"id":1,"status":{"hidden":1}}}`, "field subscription.status is object"},
		{"text for a number", "charge/failed", `{"charge":{"id":1,"charge_attempts":"hidden"}}`, "field charge.charge_attempts is string"},
		{"exponent", "charge/paid", `{"charge":{"id":1,"total_price":1e999999999}}`, "field charge.total_price is number"},
		{"id is not an integer", "charge/paid", `{"charge":{"id":"hidden"}}`, "field charge.id is string"},
		{"id in a list", "charge/paid", `{"charge":{"id":1,"line_items":[{"subscription_id":"hidden"}]}}`, "field charge.line_items.subscription_id is string"},
		{"line items not a list", "charge/paid", `{"charge":{"id":1,"line_items":"hidden"}}`, "field charge.line_items is string"},
		{"time", "subscription/created", `{"subscription":{"id":1,"created_at":"hidden"}}`, "subscription.created_at"},
		{"day", "charge/upcoming", `{"charge":{"id":1,"scheduled_at":"hidden"}}`, "charge.scheduled_at"},
		{"year 9999", "subscription/created", `{"subscription":{"id":1,"created_at":"9999-12-31T23:59:59-05:00"}}`, "subscription.created_at"},
		{"year 0", "subscription/created", `{"subscription":{"id":1,"created_at":"0000-01-01T00:00:00+05:00"}}`, "subscription.created_at"},
		{"day of year 0", "charge/upcoming", `{"charge":{"id":1,"scheduled_at":"0000-01-01T01:00:00Z"}}`, "charge.scheduled_at"},
		{"other resource", "subscription/created", `{"charge":{"id":1}}`, "lacks the object"},
		{"customer in place of the resource", "subscription/created", `{"customer":{"id":1}}`, "lacks the object"},
		{"resource is null", "subscription/created", `{"subscription":null}`, "lacks the object"},
		{"no id", "customer/updated", `{"customer":{"email":"hidden"}}`, "lacks its id"},
		{"not an object", "subscription/created", `["hidden"]`, "body is a JSON array"},
		{"not JSON", "subscription/created", `hidden`, "not valid JSON at byte"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := newDecoder(t).Decode(recharge.Topic(c.topic), []byte(c.body), time.Now())
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "hidden")
		})
	}
}

func TestDateStartsAtMidnightInUSEastern(t *testing.T) {
	assert.Equal(t, "2026-01-15T05:00:00Z", recharge.Date("2026-01-15").Start().Format("2006-01-02T15:04:05Z07:00"))
	assert.Equal(t, "2026-07-15T04:00:00Z", recharge.Date("2026-07-15").Start().Format("2006-01-02T15:04:05Z07:00"))
	assert.True(t, recharge.Date("").Start().IsZero())
}

// TestDecodeSamples decodes real payloads, if there are any beside the repository.
func TestDecodeSamples(t *testing.T) {
	files, err := filepath.Glob("../../../shared/samples/recharge/*.json")
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("no samples: ../shared/samples/recharge does not exist")
	}
	decoder := newDecoder(t)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, resource := range []string{"subscription", "charge", "order", "customer"} {
			if !strings.Contains(filepath.Base(file), "_"+resource+"_") {
				continue
			}
			webhook, err := decoder.Decode(recharge.Topic(resource+"/created"), body, time.Now())
			if err != nil {
				require.ErrorIs(t, err, recharge.ErrNoResource, file)
				continue
			}
			if version := filepath.Base(file)[:7]; !strings.Contains(file, "derived") {
				assert.Equal(t, version, string(webhook.Version), file)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/decode/*.json")
	require.NoError(f, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(f, err)
		var fixture struct {
			Topic string
			Body  json.RawMessage
		}
		require.NoError(f, json.Unmarshal(raw, &fixture))
		f.Add(fixture.Topic, []byte(fixture.Body))
	}
	decoder, err := recharge.NewDecoder()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, topic string, raw []byte) {
		webhook, err := decoder.Decode(recharge.Topic(topic), raw, time.Now())
		if err != nil {
			require.Equal(t, recharge.Webhook{}, webhook)
		}
	})
}
