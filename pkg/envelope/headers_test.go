package envelope_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

func TestStore(t *testing.T) {
	for name, want := range map[string]string{
		"acme": "", "a": "", "store-2": "", strings.Repeat("a", 40): "",
		"":                      "header store is missing",
		strings.Repeat("a", 41): "header store has an invalid value of 41 bytes",
		"Acme":                  "header store has an invalid value of 4 bytes",
		"a b":                   "header store has an invalid value of 3 bytes",
		"a/b":                   "header store has an invalid value of 3 bytes",
		"\xff":                  "header store has an invalid value of 1 bytes",
		"jo@example.com":        "header store has an invalid value of 14 bytes",
	} {
		store, err := envelope.Store(kafka.Record{Headers: []kafka.Header{envelope.Header(envelope.HeaderStore, name)}})
		if want == "" {
			require.NoError(t, err)
			assert.Equal(t, name, store)
			continue
		}
		require.EqualError(t, err, want)
		assert.Empty(t, store)
	}
}
