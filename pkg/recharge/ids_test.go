package recharge_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

func TestFindIDs(t *testing.T) {
	cases := []struct {
		name, resource, body, customer, id string
	}{
		{"customer_id", "subscription", `{"subscription":{"id":1,"customer_id":22}}`, "22", "1"},
		{"customer_id as a string", "subscription", `{"subscription":{"id":"1","customer_id":"22"}}`, "22", "1"},
		{"nested customer", "charge", `{"charge":{"id":1,"customer":{"email":"a","id":22}}}`, "22", "1"},
		{"customer_id before nested customer", "order", `{"order":{"customer":{"id":3},"customer_id":22,"id":1}}`, "22", "1"},
		{"null customer_id", "order", `{"order":{"customer":{"id":3},"customer_id":null,"id":1}}`, "3", "1"},
		{"customer resource", "customer", `{"customer":{"id":22}}`, "22", "22"},
		{"included customer", "charge", `{"customer":{"id":22},"charge":{"id":1}}`, "22", "1"},
		{"no customer", "subscription", `{"subscription":{"id":472730175}}`, "", "472730175"},
		{"id at another depth", "charge", `{"charge":{"line_items":[{"customer_id":5,"id":6}],"id":1}}`, "", "1"},
		{"another resource", "charge", `{"order":{"customer_id":5,"id":6}}`, "", ""},
		{"escaped key", "charge", `{"charge":{"customer\u005fid":5}}`, "5", ""},
		{"escaped digit", "charge", `{"charge":{"customer_id":"\u0035"}}`, "5", ""},
		{"braces and quotes in texts", "charge", `{"charge":{"note":"} \" { customer_id: 3","customer_id":5}}`, "5", ""},
		{"last of repeated keys", "charge", `{"charge":{"customer_id":5,"customer_id":6}}`, "6", ""},
		{"fraction", "charge", `{"charge":{"customer_id":5.5}}`, "", ""},
		{"negative", "charge", `{"charge":{"customer_id":-5}}`, "", ""},
		{"zero", "charge", `{"charge":{"customer_id":0}}`, "", ""},
		{"white space", "charge", " {\n\"charge\" : {\t\"customer_id\" : 5 } }", "5", ""},
		{"not an object", "charge", `[1,2]`, "", ""},
		{"scalar", "charge", `7`, "", ""},
		{"resource is not an object", "charge", `{"charge":[{"id":4}]}`, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.True(t, json.Valid([]byte(c.body)))
			assert.Equal(t, recharge.IDs{CustomerID: c.customer, ResourceID: c.id}, recharge.FindIDs(c.resource, []byte(c.body)))
		})
	}
}

// FuzzFindIDs compares the result with that of a full decode.
func FuzzFindIDs(f *testing.F) {
	for _, seed := range []string{
		`{"charge":{"id":1,"customer":{"email":"a","id":22}},"customer":{"id":9}}`,
		`{"charge":{"customer_id":"7","customer":null}}`,
		`{"charge":{"note":"\\\"}{","customer_id":5,"customer_id":"x"}}`,
		`{"charge":[],"customer":{"id":1e3}}`, `[]`, `""`, `{"":{"":1}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := recharge.FindIDs("charge", raw) // must not panic or hang, whatever raw is
		if json.Valid(raw) {
			require.Equal(t, decodedIDs(t, raw), got)
		}
	})
}

func decodedIDs(t *testing.T, raw []byte) recharge.IDs {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var document any
	require.NoError(t, decoder.Decode(&document))
	charge := member(document, "charge")
	ids := recharge.IDs{ResourceID: idOf(member(charge, "id"))}
	for _, v := range []any{
		member(charge, "customer_id"), member(member(charge, "customer"), "id"), member(member(document, "customer"), "id"),
	} {
		if ids.CustomerID == "" {
			ids.CustomerID = idOf(v)
		}
	}
	return ids
}

func member(v any, name string) any {
	object, _ := v.(map[string]any)
	return object[name]
}

// idOf reads "an integer above zero, or a string of its digits", independently of the code under test.
func idOf(v any) string {
	var s string
	switch v := v.(type) {
	case json.Number:
		s = v.String()
	case string:
		s = v
	}
	if len(s) == 0 || len(s) > 19 || s[0] == '0' || len(bytes.Trim([]byte(s), "0123456789")) > 0 {
		return ""
	}
	return s
}
