package recharge_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

func TestInspect(t *testing.T) {
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
		{"another resource", "onetime", `{"order":{"customer_id":5,"id":6}}`, "", ""},
		{"last of repeated resources", "charge", `{"charge":{"customer_id":5,"id":6},"charge":{"id":7}}`, "", "7"},
		{"last of repeated resources is none", "charge", `{"charge":{"customer_id":5,"id":6},"charge":null}`, "", ""},
		{"last of repeated customers", "charge", `{"customer":{"id":5},"charge":{"id":6},"customer":[]}`, "", "6"},
		{"nested deep", "charge", `{"charge":{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `,"customer_id":5}}`, "5", ""},
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
			found, valid := recharge.Inspect(recharge.Topic(c.resource+"/created"), []byte(c.body))
			assert.True(t, valid)
			assert.Equal(t, recharge.Inspection{CustomerID: c.customer, ResourceID: c.id}, found)
		})
	}
}

// Inspect finds what a full decode finds, and accepts what json.Valid accepts.
func FuzzInspect(f *testing.F) {
	for _, seed := range []string{
		`{"charge":{"id":1,"customer":{"email":"a","id":22}},"customer":{"id":9}}`,
		`{"charge":{"customer_id":"7","customer":null}}`,
		`{"charge":{"note":"\\\"}{","customer_id":5,"customer_id":"x"}}`,
		`{"charge":[],"customer":{"id":1e3}}`, `[]`, `""`, `{"":{"":1}}`, `{"order":{"id":1},"customer":{"id":2}} `, `{"charge":{"id":1},"charge":{}}`,
		`{"charge":{"customer":{"id":1},"customer":2},"ch\u0061rge":{"id":"\u0031"}}`, `{"customer":{"id":1},"customer":null}`, `{"charge":{"id":01}}`, `{"address":1}x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, topic := range []recharge.Topic{"charge/paid", "customer/updated"} {
			got, valid := recharge.Inspect(topic, raw)
			require.Equal(t, json.Valid(raw), valid)
			if valid {
				require.Equal(t, inspected(t, topic.Resource(), raw), got)
			}
		}
	})
}

// inspected is the result of Inspect, by a full decode.
func inspected(t *testing.T, resource string, raw []byte) recharge.Inspection {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var document any
	require.NoError(t, decoder.Decode(&document))
	own := member(document, resource)
	found := recharge.Inspection{ResourceID: idOf(member(own, "id")), OtherResource: otherResource(t, resource, raw)}
	for _, v := range []any{
		member(own, "customer_id"), member(member(own, "customer"), "id"), member(member(document, "customer"), "id"),
	} {
		if found.CustomerID == "" {
			found.CustomerID = idOf(v)
		}
	}
	return found
}

// otherResource reads the names of the outermost object in their order, which a full decode loses.
func otherResource(t *testing.T, resource string, raw []byte) (other string) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return ""
	}
	for decoder.More() {
		name, err := decoder.Token()
		require.NoError(t, err)
		if name == resource {
			return ""
		}
		switch name {
		case "subscription", "charge", "order", "customer", "address", "onetime", "checkout", "async_batch":
			other, _ = name.(string)
		}
		var value json.RawMessage
		require.NoError(t, decoder.Decode(&value))
	}
	return other
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
