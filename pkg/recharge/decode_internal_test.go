package recharge

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fixture is a testdata/decode/*.json.
type fixture struct {
	Topic Topic
	Body  json.RawMessage
}

func fixtures(t testing.TB) (all []fixture) {
	files, err := filepath.Glob("testdata/decode/*.json")
	require.NoError(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var one fixture
		require.NoError(t, json.Unmarshal(raw, &one))
		all = append(all, one)
	}
	require.NotEmpty(t, all)
	return all
}

// Bodies are decoded as encoding/json does, with the same errors.
func FuzzBody(f *testing.F) {
	for _, fixture := range fixtures(f) {
		f.Add([]byte(fixture.Body))
	}
	for _, body := range []string{
		`{"subscription":{"id":1,"Id":2,"id":3,"quantity":"2.0","price":1.50,"is_prepaid":1,"sku":"é\u00e9\"","x":[1,{"a":null},-0.5e+3]}}`,
		`{"subscription":{"id":12345678901234567890123,"quantity":1e3,"order_interval_frequency":99999999999999999999,"price":"1e9"},"SUBSCRIPTION":{"id":1}}`,
		`{"subscription":{"external_product_id":{"Ecommerce":1,"ecommerce":null,"x":{}},"external_variant_id":{"ecommerce":[]},"shopify_product_id":[]}}`,
		`{"subscription":{"external_product_id":{"ecommer\u0063e":" 7 "},"shopify_variant_id":7,"include":[],"customer":{"email":null,"phone":1}}}`,
		`{"charge":{"id":"1","line_items":[null,{"price":"1"},{"quantity":"x"}],"customer":null,"line_items":[]},"charge":{"email":" a "}}`,
		`{"charge":{"id":1,"include":{"customer":{"id":7,"Email":"a@b"},"customer":{"phone":"1"}},"include":{"metafields":[]}}}`,
		"{\"customer\":{\"id\":1,\"email\":\"\xff\xc3\u2028\",\"phone\":null,\"\u017ftatus\":\"a\"}}", `{"order":null,"include":[]}`, ` { "order" : { "id" : 01 } } `,
		`{"customer":{"id":-1,"email":{"a":1}},"order":{"charge":{"id":true},"line_items":{},"is_prepaid":"yes"}}`, `null`, `[]`, `{"order":[]}`,
	} {
		f.Add([]byte(body))
	}
	decoder, err := NewDecoder()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got, want body
		wantErr := json.Unmarshal(raw, &want)
		require.Equal(t, wantErr, decoder.bodies.Decode(raw, &got))
		if wantErr == nil {
			require.Equal(t, want, got)
		}
	})
}

// An id of the shop platform is what encoding/json decodes.
func FuzzPlatformID(f *testing.F) {
	for _, raw := range []string{`7`, `"7"`, `null`, `[]`, `{}`, `{"ecommerce":"7"}`, `{"ecommerce":null,"ECOMMERCE":7}`, `{"ecommerce":{}}`, `{"ecommerc\u0065":" 7 "}`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var got struct{ ID platformID }
		var plain struct{ ID text }
		var object struct{ ID struct{ Ecommerce text } }
		whole := append(append([]byte(`{"ID":`), raw...), '}')
		err := json.Unmarshal(whole, &got)
		var mismatch *json.UnmarshalTypeError
		switch {
		case json.Unmarshal(whole, &plain) == nil:
			require.NoError(t, err)
			require.Equal(t, string(plain.ID), string(got.ID))
		case json.Unmarshal(whole, &object) == nil:
			require.NoError(t, err)
			require.Equal(t, string(object.ID.Ecommerce), string(got.ID))
		case json.Valid(whole):
			require.ErrorAs(t, err, &mismatch)
			require.Equal(t, "ID", mismatch.Field)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	all, at := fixtures(b), time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	decoder, err := NewDecoder()
	require.NoError(b, err)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		one := all[i%len(all)]
		_, err := decoder.Decode(one.Topic, one.Body, at)
		require.NoError(b, err)
	}
}
