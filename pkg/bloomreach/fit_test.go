package bloomreach_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
)

const limit = 16_000 // bytes that a property value must be under

// fitted returns the properties of an event as they are sent.
func fitted(t require.TestingT, properties bloomreach.Properties) map[string]json.RawMessage {
	command, err := bloomreach.NewEvent("1", bloomreach.Event{
		CustomerIDs: map[string]string{"registered": "ann"}, Type: "x", Timestamp: "1", Properties: properties,
	})
	require.NoError(t, err)
	var data struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	require.NoError(t, json.Unmarshal(command.Data, &data))
	for name, value := range data.Properties {
		require.Less(t, len(value), limit, name)
	}
	return data.Properties
}

func TestLongString(t *testing.T) {
	tests := []struct {
		name, value string
		keeps       int // characters
	}{
		{"just short enough", strings.Repeat("x", limit-3), limit - 3},
		{"a byte too long", strings.Repeat("x", limit-2), limit - 3},
		{"much too long", strings.Repeat("x", 20*limit), limit - 3},
		{"two bytes each", "x" + strings.Repeat("ä", limit), 1 + (limit-4)/2},
		{"four bytes each", strings.Repeat("😀", limit), (limit - 3) / 4},
		{"escaped for HTML", strings.Repeat("<", limit), (limit - 3) / 6},
		{"escaped", strings.Repeat(`"`, limit), (limit - 3) / 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := fitted(t, values{"title": test.value, "other": "x"}.properties())
			var title string
			require.NoError(t, json.Unmarshal(got["title"], &title))
			assert.Equal(t, test.keeps, utf8.RuneCountInString(title))
			assert.True(t, strings.HasPrefix(test.value, title))
			_, truncated := got["title_truncated"]
			assert.Equal(t, title != test.value, truncated)
			assert.NotContains(t, got, "title_omitted")
			assert.NotContains(t, got, "other_truncated")
		})
	}
}

// A list keeps its first elements, as many as fit.
func TestLongList(t *testing.T) {
	item := func(i, length int) values {
		return values{"product_id": fmt.Sprint(i), "title": strings.Repeat("t", length)}
	}
	for _, n := range []int{0, 1, 100, 145, 146, 147, 148, 300, 5000} {
		list := make([]values, n)
		ids := make([]string, n)
		for i := range list {
			list[i], ids[i] = item(i, 80), fmt.Sprintf("id-%07d", i)
		}
		got := fitted(t, values{"product_list": list, "product_ids": ids}.properties())
		for name, whole := range map[string]any{"product_list": list, "product_ids": ids} {
			var kept, all []any
			if n == 0 {
				assert.NotContains(t, got, name)
				continue
			}
			require.NoError(t, json.Unmarshal(got[name], &kept))
			encoded, err := json.Marshal(whole)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(encoded, &all))
			assert.Equal(t, all[:len(kept)], append([]any{}, kept...))
			if len(kept) == n {
				assert.NotContains(t, got, name+"_truncated")
				continue
			}
			assert.GreaterOrEqual(t, len(encoded), limit)
			assert.Equal(t, "true", string(got[name+"_truncated"]))
			assert.Equal(t, fmt.Sprint(n-len(kept)), string(got[name+"_omitted"]))
			next, err := json.Marshal(all[:len(kept)+1])
			require.NoError(t, err)
			assert.GreaterOrEqual(t, len(next), limit, "one more would not fit")
		}
	}
}

// Long strings in the elements of a long list are cut, before elements are left out.
func TestLongStringsInAList(t *testing.T) {
	got := fitted(t, values{"product_list": []values{
		{"title": strings.Repeat("ä", limit), "quantity": 1}, {"title": "short", "price": json.Number("1.50")},
	}}.properties())
	var list []map[string]any
	require.NoError(t, json.Unmarshal(got["product_list"], &list))
	require.Len(t, list, 2)
	assert.Equal(t, strings.Repeat("ä", 499), list[0]["title"])
	assert.Equal(t, "short", list[1]["title"])
	assert.Equal(t, "true", string(got["product_list_truncated"]))
	assert.NotContains(t, got, "product_list_omitted")

	assert.Equal(t, []string{`["` + strings.Repeat("x", 998) + `"]`, "true"},
		func() []string {
			got := fitted(t, values{"l": []string{strings.Repeat("x", limit)}}.properties())
			return []string{string(got["l"]), string(got["l_truncated"])}
		}())
}

// A list may have one byte less than the limit. What is cut is a copy.
func TestListOfTheLongestSize(t *testing.T) {
	var list []string
	for range 15 {
		list = append(list, strings.Repeat("x", 998))
	}
	list = append(list, strings.Repeat("x", limit-1-len("[]")-15*1001-2), "left out")
	properties := values{"l": list}
	got := fitted(t, properties.properties())
	assert.Len(t, got["l"], limit-1)
	assert.Equal(t, "1", string(got["l_omitted"]))
	assert.Equal(t, values{"l": list}, properties)
}

// Any event is sent within the limits, with the same bytes each time.
func TestAnyEventFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string {
			return strings.Repeat(rapid.String().Draw(t, label), rapid.IntRange(0, 3000).Draw(t, label+" times"))
		}
		properties := values{"title": text("title"), "n": 7, "list": []string{text("a"), text("b"), text("c")}}
		var items []values
		for range rapid.IntRange(0, 200).Draw(t, "items") {
			items = append(items, values{"title": text("item")})
		}
		properties["items"] = items
		first := fitted(t, properties.properties())
		assert.Equal(t, first, fitted(t, properties.properties()))
	})
}

// What can't be cut is an error that names the property.
func TestTooLong(t *testing.T) {
	ids := map[string]string{"registered": "ann"}
	long := strings.Repeat("x", limit)
	digits := json.Number(strings.Repeat("1", limit))
	_, err := bloomreach.NewEvent("1", bloomreach.Event{CustomerIDs: ids, Type: "x", Timestamp: "1", Properties: values{"n": digits}.properties()})
	require.ErrorIs(t, err, bloomreach.ErrCommand)
	require.EqualError(t, err, `invalid command: property "n" has 16000 bytes, at most 15999 are allowed`)
	_, err = bloomreach.NewCustomerUpdate("1", bloomreach.CustomerUpdate{CustomerIDs: ids, Properties: values{"p": long}.properties(), UpdateTimestamp: "1"})
	require.EqualError(t, err, `invalid command: property "p" has 16002 bytes, at most 15999 are allowed`)
	properties := values{}
	for i := range 55 {
		properties[fmt.Sprint("p", i)] = long[:limit-3]
	}
	_, err = bloomreach.NewEvent("1", bloomreach.Event{CustomerIDs: ids, Type: "x", Timestamp: "1", Properties: properties.properties()})
	require.ErrorContains(t, err, "bytes, at most 799999 are allowed")
}
