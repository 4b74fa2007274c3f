package admission_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// mistyped returns the raw record of an accepted webhook, as it is read from the topic.
func mistyped(t *testing.T, topic recharge.Topic, body string) kafka.Record {
	t.Helper()
	r := request(body)
	webhook, err := admissionOf(admission.Store{}).Admit(httptest.NewRecorder(), r, address(topic, ""), atTen())
	require.NoError(t, err)
	raw := webhook.Record("recharge.webhooks", r.Header, atTen())
	raw.Partition, raw.Offset = 3, 17
	return raw
}

// A repeated webhook is what the gateway would have stored, but for what tells that it is repeated.
func TestRetopic(t *testing.T) {
	later := atTen().Add(48 * time.Hour)
	for _, wrong := range []recharge.Topic{"subscription/creatd", "subscriptoin/created"} {
		raw, want := mistyped(t, wrong, body), mistyped(t, topic, body)
		got, err := admission.Retopic(raw, topic, later)
		require.NoError(t, err)
		assert.Equal(t, want.Key, got.Key)
		assert.Equal(t, want.Value, got.Value)
		assert.Equal(t, kafka.ByKey, got.Partition)
		assert.Equal(t, later, got.Time)
		assert.Equal(t, "operator", got.Header(envelope.HeaderSource))
		assert.Equal(t, "3/17", got.Header(envelope.HeaderRepairOf))
		assert.Len(t, got.Headers, len(want.Headers)+1)
		for _, h := range want.Headers {
			if h.Key != envelope.HeaderSource {
				assert.Equal(t, string(h.Value), got.Header(h.Key), h.Key)
			}
		}
		_, at, err := envelope.CheckRaw(got, later)
		require.NoError(t, err)
		assert.Equal(t, atTen(), at)
	}
}

func TestRetopicOfAnotherBody(t *testing.T) {
	_, err := admission.Retopic(mistyped(t, "subscription/creatd", `{"charge":{"id":1}}`), topic, atTen())
	require.EqualError(t, err, "the body is that of the resource charge")
	_, err = admission.Retopic(kafka.Record{Value: []byte("no")}, topic, atTen())
	require.EqualError(t, err, "the body is not a JSON document")
}
