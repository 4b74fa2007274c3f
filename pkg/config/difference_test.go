package config_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

func TestDifference(t *testing.T) {
	const second = "  - {name: beta, recharge: {secrets: [other-secret], token: t}, bloomreach: {enabled: false}}\n"
	for _, tt := range []struct {
		name          string
		before, after string
		want          []string
	}{
		{"nothing", minimal, minimal, nil},
		{"a comment", minimal, minimal + "# changed\n", nil},
		{"a default that is written out", minimal, minimal + "log: {level: info}\n", nil},
		{"an empty list", minimal, minimal + "    sms: {}\nkafka: {brokers: []}\n", nil},
		{"the log level", minimal, minimal + "log: {level: debug}\n", []string{"log.level []"}},
		{"what the gateway answers", minimal, minimal + "gateway: {body_limit: 1KiB, publish_timeout: 1s, retry_after: 9s}\n", []string{
			"gateway.body_limit []", "gateway.publish_timeout []", "gateway.retry_after []",
		}},
		{"what needs a restart", minimal, minimal + "kafka: {brokers: [b:9092], tls: {enabled: true}}\ngateway: {listen: ':80'}\ntracing: {headers: [a=b]}\ntransformer: {state_dir: /state}\n", []string{
			"kafka.brokers [] restart", "kafka.tls.enabled [] restart", "gateway.listen [] restart", "tracing.headers [] restart", "transformer.state_dir [] restart",
		}},
		{"a secret", minimal, strings.Replace(minimal, "[client-secret]", "[new-secret, client-secret]", 1), []string{"stores[acme].recharge.secrets [gateway transformer]"}},
		{"credentials", minimal, strings.Replace(minimal, "key-secret", "new-secret", 1), []string{"stores[acme].bloomreach.secret [tracking]"}},
		{"a rate", minimal, minimal + "      requests_per_minute: 100\n", []string{"stores[acme].bloomreach.requests_per_minute [tracking]"}},
		{"a timeout", minimal, minimal + "    sms: {timeout: 3s}\n", []string{"stores[acme].sms.timeout [sms]"}},
		{"a driver", minimal, minimal + "    sms: {driver: log}\n", []string{"stores[acme].sms.driver [gateway transformer sms links]"}},
		{"a key of all roles", minimal, minimal + "    customer_id: recharge_id\n", []string{"stores[acme].customer_id []"}},
		{"a store more", minimal, minimal + second, []string{"stores[beta] added []"}},
		{"a store less", minimal + second, minimal, []string{"stores[beta] removed []"}},
		{"another name", minimal, strings.Replace(minimal, "acme", "acme-2", 1), []string{"stores[acme] removed []", "stores[acme-2] added []"}},
		{"another order", minimal + second, "\nstores:\n" + second + strings.TrimPrefix(minimal, "\nstores:\n"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, err := load(t, tt.before)
			require.NoError(t, err)
			after, err := load(t, tt.after)
			require.NoError(t, err)
			var got []string
			for _, change := range config.Difference(before.Config, after.Config) {
				line := fmt.Sprintf("%s %v", change, change.Roles)
				if change.Restart {
					line += " restart"
				}
				got = append(got, line)
			}
			assert.Equal(t, tt.want, got)
			for _, line := range got {
				assert.NotContains(t, line, "new-secret")
			}
		})
	}
}

// Each key makes a difference of its own, and none is forgotten: what TakeUp leaves needs a restart.
func TestEachKeyMakesADifference(t *testing.T) {
	loaded, err := load(t, minimal)
	require.NoError(t, err)
	for _, k := range config.Keys() {
		if k.Path == "stores[].name" {
			continue
		}
		t.Run(k.Path, func(t *testing.T) {
			next, path := loaded.Config, k.Of("acme")
			next.Stores = append([]config.Store(nil), next.Stores...)
			if of, ofStore := strings.CutPrefix(k.Path, "stores[]."); ofStore {
				alter(t, reflect.ValueOf(&next.Stores[0]).Elem(), of)
			} else {
				alter(t, reflect.ValueOf(&next).Elem(), k.Path)
			}
			changes := config.Difference(loaded.Config, next)
			require.Len(t, changes, 1)
			assert.Equal(t, path, changes[0].Path)

			left := config.Difference(loaded.Config.TakeUp(next), next)
			if k.Restart {
				assert.Equal(t, changes, left)
			} else {
				assert.Empty(t, left)
			}
		})
	}
}

// alter changes the field of a key.
func alter(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	for _, name := range strings.Split(path, ".") {
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("mapstructure") == name {
				v = v.Field(i)
				break
			}
		}
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.New(v.Type().Elem()).Elem()))
	default:
		v.SetInt(v.Int() + 1)
	}
}
