package config_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// Viper's Unmarshal ignores unknown keys without an error.
func TestViperTrap_UnknownKeyIsAnError(t *testing.T) {
	_, err := load(t, minimal+"kafka: {broker: [a:1]}\n")
	require.ErrorContains(t, err, "kafka.broker: unknown key, did you mean brokers?")
}

// Viper ignores a key that only the environment sets, unless it has a default. These have none.
func TestViperTrap_KeyOnlyInTheEnvironmentCounts(t *testing.T) {
	loaded, err := load(t, minimal, "RECHARGEFLOW_KAFKA_TOPIC_PREFIX=staging.", "RECHARGEFLOW_STORE_ACME_SMS_SHOP_NAME=Acme")
	require.NoError(t, err)
	assert.Equal(t, "staging.", loaded.Config.Kafka.TopicPrefix)
	assert.Equal(t, "Acme", loaded.Config.Stores[0].SMS.ShopName)
}

// Viper lower-cases the keys of maps, so none of our settings is a map.
func TestViperTrap_NoSettingIsAMap(t *testing.T) {
	var visit func(t *testing.T, typ reflect.Type, path string)
	visit = func(t *testing.T, typ reflect.Type, path string) {
		t.Helper()
		switch typ.Kind() {
		case reflect.Map, reflect.Interface, reflect.Pointer:
			assert.Fail(t, "setting of unsuitable type", "%s is a %s", path, typ.Kind())
		case reflect.Slice:
			visit(t, typ.Elem(), path+"[]")
		case reflect.Struct:
			for i := range typ.NumField() {
				visit(t, typ.Field(i).Type, path+"."+typ.Field(i).Name)
			}
		default:
		}
	}
	visit(t, reflect.TypeFor[config.Config](), "Config")
}

// Viper's weak typing makes a list of a text and a number of a bool; here a wrong type is a fault.
func TestViperTrap_NoWeakTyping(t *testing.T) {
	for _, text := range []string{
		"kafka: {brokers: 'a:1,b:2'}\n",
		"transformer: {state_cache: true}\n",
		"shutdown_timeout: 25000000000\n",
	} {
		_, err := load(t, minimal+text)
		require.ErrorContains(t, err, "expected", text)
	}
}
