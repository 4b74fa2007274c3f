package bloomreach_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
)

// values are properties as a map: string, bool, int, json.Number, []string and []values.
type values map[string]any

// properties sets the values, in the order of names if any are given.
func (v values) properties(names ...string) (p bloomreach.Properties) {
	if names == nil {
		names = slices.Sorted(maps.Keys(v))
	}
	for _, name := range names {
		switch value := v[name].(type) {
		case string:
			p.Text(name, value)
		case bool:
			p.Flag(name, value)
		case int:
			p.Count(name, &value)
		case json.Number:
			p.Amount(name, value.String())
		case []string:
			p.List(name, value)
		case []values:
			p.Objects(name, len(value), func(i int, object *bloomreach.Properties) { *object = value[i].into(*object) })
		default:
			panic(fmt.Sprintf("%T", value))
		}
	}
	return p
}

// into sets the values of an object.
func (v values) into(p bloomreach.Properties) bloomreach.Properties {
	for name, value := range v {
		switch value := value.(type) {
		case string:
			p.Text(name, value)
		case int:
			p.Number(name, value)
		case json.Number:
			p.Amount(name, value.String())
		}
	}
	return p
}

// The data of an event is what encoding/json makes of its properties in maps, with what is too long cut.
func TestEventIsThatOfEncodingJSON(t *testing.T) {
	text := rapid.Custom(func(t *rapid.T) string {
		part := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"x", "ä", "<", `"`, "\u2028", "\xff", "😀", "\x00"})).Draw(t, "part")
		return "t" + strings.Repeat(part, rapid.SampledFrom([]int{0, 1, 1, 1, 7, 500, 4000, 17000}).Draw(t, "times"))
	})
	item := rapid.Custom(func(t *rapid.T) values {
		return values{"title": text.Draw(t, "title"), "price": json.Number("12.50"), "quantity": rapid.IntRange(1, 9).Draw(t, "quantity")}
	})
	rapid.Check(t, func(t *rapid.T) {
		v := values{
			"a<b": rapid.Bool().Draw(t, "flag"), "count": rapid.Int().Draw(t, "count"), "status": text.Draw(t, "status"),
			"amount": json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,6})?`).Draw(t, "amount")),
			"ids":    rapid.SliceOfN(text, 1, 30).Draw(t, "ids"),
			"list":   rapid.SliceOfN(item, 1, 30).Draw(t, "list"),
		}
		ids := map[string]string{"registered": "ä&" + rapid.StringN(0, 20, -1).Draw(t, "id"), "cookie": "2"}
		command, err := bloomreach.NewEvent("1", bloomreach.Event{CustomerIDs: ids, Type: "<type>", Timestamp: "1.5", Properties: v.properties()})
		require.NoError(t, err)
		want, err := json.Marshal(struct {
			CustomerIDs map[string]string `json:"customer_ids"`
			Type        string            `json:"event_type"`
			Timestamp   json.Number       `json:"timestamp"`
			Properties  values            `json:"properties"`
		}{ids, "<type>", "1.5", v.fitted(t)})
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, command.Data), "%.2000q\n%.2000q", want, command.Data)
	})
}

// fitted returns the values with what is too long cut, computed the simple way.
func (v values) fitted(t require.TestingT) values {
	fitted := maps.Clone(v)
	for name, value := range v {
		if size(t, value) < limit {
			continue
		}
		fitted[name+"_truncated"] = true
		switch value := value.(type) {
		case string:
			fitted[name] = shortened(t, value, limit-1)
		case []string:
			for i := range value {
				value[i] = shortened(t, value[i], 1000)
			}
			fitted[name], fitted[name+"_omitted"] = firstOf(t, value)
		case []values:
			for i := range value {
				value[i]["title"] = shortened(t, value[i]["title"].(string), 1000)
			}
			fitted[name], fitted[name+"_omitted"] = firstOf(t, value)
		}
		if fitted[name+"_omitted"] == 0 {
			delete(fitted, name+"_omitted")
		}
	}
	return fitted
}

// firstOf returns as many elements as fit, and the number of the others.
func firstOf[T any](t require.TestingT, list []T) (any, int) {
	total, n := len("[]"), 0
	for ; n < len(list); n++ {
		if total += size(t, list[n]); total >= limit {
			break
		}
		total += len(",")
	}
	return list[:n], len(list) - n
}

// shortened returns the longest start that fits.
func shortened(t require.TestingT, text string, most int) string {
	for size(t, text) > most {
		_, last := utf8.DecodeLastRuneInString(text)
		if over := (size(t, text) - most) / 6; over > last { // a byte takes six at most
			last = over
			for !utf8.RuneStart(text[len(text)-last]) {
				last++
			}
		}
		text = text[:len(text)-last]
	}
	return text
}

func size(t require.TestingT, value any) int {
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return len(encoded)
}
