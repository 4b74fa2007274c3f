package subscriber_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

type appender interface {
	AppendJSON(b []byte) ([]byte, error)
}

// A value that appends itself is what encoding/json makes of it, with every field set or not.
func TestAppendJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		for _, value := range []appender{
			&subscriber.Event{}, &subscriber.CustomerRow{}, &subscriber.SubscriptionRow{}, &subscriber.ChargeRow{},
			&subscriber.CustomerState{}, &subscriber.SubscriptionState{}, &subscriber.OwnerState{},
		} {
			fill(rng, reflect.ValueOf(value).Elem())
			var want bytes.Buffer
			encoder := json.NewEncoder(&want)
			encoder.SetEscapeHTML(false)
			require.NoError(t, encoder.Encode(value))
			got, err := value.AppendJSON([]byte("before"))
			require.NoError(t, err)
			require.Equal(t, "before"+want.String(), string(got)+"\n")
		}
	}
}

// A time that JSON can't represent is an error.
func TestAppendJSONError(t *testing.T) {
	year := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, value := range []appender{
		&subscriber.Event{OccurredAt: year}, &subscriber.CustomerRow{CreatedAt: year},
		subscriber.SubscriptionRow{Subscription: subscriber.Subscription{UpdatedAt: year}},
		&subscriber.CustomerState{DeletedAt: year}, &subscriber.SubscriptionState{UpdatedAt: year}, &subscriber.OwnerState{At: year},
	} {
		_, err := value.AppendJSON(nil)
		require.Error(t, err)
		_, err = json.Marshal(value)
		assert.Error(t, err)
	}
}

// fill sets each field of a struct to a random value, or leaves it.
func fill(rng *rand.Rand, v reflect.Value) {
	isTime := v.Type() == reflect.TypeFor[time.Time]()
	if (isTime || v.Kind() != reflect.Struct) && rng.IntN(3) == 0 {
		return
	}
	texts := []string{"Jo", "Café", `"<&>\`, "\u2028", "\xff", "line\n"}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts[rng.IntN(len(texts))])
	case reflect.Int:
		v.SetInt(rng.Int64N(2000) - 1000)
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(rng, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rng.IntN(4), 4))
		for i := range v.Len() {
			fill(rng, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rng.IntN(4) {
			key, member := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(rng, key)
			fill(rng, member)
			v.SetMapIndex(key, member)
		}
	case reflect.Struct:
		if isTime {
			v.Set(reflect.ValueOf(time.Unix(rng.Int64N(4e9), rng.Int64N(2)*rng.Int64N(1e9)).In(time.FixedZone("", 3600*rng.IntN(3)))))
			return
		}
		for i := range v.NumField() {
			fill(rng, v.Field(i))
		}
	default:
		panic(fmt.Sprintf("no random value for %s", v.Type()))
	}
}
