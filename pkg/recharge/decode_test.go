package recharge_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestDecode decodes each testdata/decode/*.json and compares with the .golden beside it.
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
			webhook, err := decoder.Decode(fixture.Topic, fixture.Body)
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
			assert.Equal(t, recharge.FindOwner(fixture.Topic.Resource(), fixture.Body).CustomerID, webhook.CustomerID(),
				"the gateway's scan and the decoder must agree on the customer")
		})
	}
}

func newDecoder(t *testing.T) *recharge.Decoder {
	t.Helper()
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	return decoder
}

func TestDecodeNamesTheFaultAndQuotesNothing(t *testing.T) {
	cases := []struct{ name, topic, body, says string }{
		{"object for a number", "subscription/created", `{"subscription":{"id":1,"quantity":{"hidden":1}}}`, "field subscription.quantity holds object"},
		{"text for a number", "subscription/created", `{"subscription":{"id":1,"price":"hidden"}}`, "field subscription.price holds string"},
		{"exponent", "charge/paid", `{"charge":{"id":1,"total_price":1e999999999}}`, "field charge.total_price holds number"},
		{"id is no integer", "charge/paid", `{"charge":{"id":"hidden"}}`, "field charge.id holds string"},
		{"boolean", "subscription/created", `{"subscription":{"id":1,"is_prepaid":"hidden"}}`, "field subscription.is_prepaid holds string"},
		{"line items no list", "charge/paid", `{"charge":{"id":1,"line_items":"hidden"}}`, "field charge.line_items holds string"},
		{"time", "subscription/created", `{"subscription":{"id":1,"created_at":"hidden"}}`, "subscription.created_at"},
		{"day", "subscription/created", `{"subscription":{"id":1,"next_charge_scheduled_at":"hidden"}}`, "subscription.next_charge_scheduled_at"},
		{"year 9999", "subscription/created", `{"subscription":{"id":1,"created_at":"9999-12-31T23:59:59-05:00"}}`, "subscription.created_at"},
		{"year 0", "subscription/created", `{"subscription":{"id":1,"created_at":"0000-01-01T00:00:00+05:00"}}`, "subscription.created_at"},
		{"day of year 0", "subscription/created", `{"subscription":{"id":1,"next_charge_scheduled_at":"0000-01-01T01:00:00Z"}}`, "subscription.next_charge_scheduled_at"},
		{"other resource", "subscription/created", `{"charge":{"id":1}}`, "lacks the object"},
		{"customer in place of the resource", "subscription/created", `{"customer":{"id":1}}`, "lacks the object"},
		{"resource is null", "subscription/created", `{"subscription":null}`, "lacks the object"},
		{"no id", "customer/updated", `{"customer":{"email":"hidden"}}`, "lacks its id"},
		{"not an object", "subscription/created", `["hidden"]`, "body is a JSON array"},
		{"not JSON", "subscription/created", `hidden`, "not valid JSON at byte"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := newDecoder(t).Decode(recharge.Topic(c.topic), []byte(c.body))
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

// TestDecodeSamples runs over real payloads where they lie beside the repository.
func TestDecodeSamples(t *testing.T) {
	files, err := filepath.Glob("../../../shared/samples/recharge/*.json")
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("no samples: ../shared/samples/recharge does not lie beside the repository")
	}
	decoder := newDecoder(t)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, resource := range []string{"subscription", "charge", "order", "customer"} {
			if !strings.Contains(filepath.Base(file), "_"+resource+"_") {
				continue
			}
			webhook, err := decoder.Decode(recharge.Topic(resource+"/created"), body)
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
		webhook, err := decoder.Decode(recharge.Topic(topic), raw)
		if err != nil {
			require.Equal(t, recharge.Webhook{}, webhook)
		}
	})
}
