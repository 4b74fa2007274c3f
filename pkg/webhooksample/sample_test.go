package webhooksample_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/webhooksample"
)

var at = time.Date(2026, 7, 1, 15, 4, 5, 0, time.UTC)

// Each topic in use has a sample in both versions. It is decoded whole, as of its version and customer.
func TestEachTopicInUse(t *testing.T) {
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	for _, topic := range recharge.Topics() {
		for _, version := range webhooksample.Versions() {
			s := webhooksample.Sample{Topic: topic, Version: version, Customer: 1000042, At: at}
			body, err := s.Body()
			if !subscriber.AllSwitches().Uses(topic) {
				require.ErrorIs(t, err, webhooksample.ErrNoSample, topic)
				continue
			}
			require.NoError(t, err, "%s %s", topic, version)
			webhook, err := decoder.Decode(topic, body, at)
			require.NoError(t, err, "%s %s: %s", topic, version, body)
			assert.Empty(t, webhook.Unreadable, "%s %s", topic, version)
			if namesCustomer(topic, version) {
				assert.Equal(t, "1000042", webhook.CustomerID(), "%s %s", topic, version)
				assert.Equal(t, at.Add(-2*time.Second), updatedAt(webhook), "%s %s", topic, version)
				assert.Equal(t, version, webhook.Version, topic)
			}
		}
	}
}

// namesCustomer reports whether the body of a topic has more than an id, and so its customer and version.
func namesCustomer(topic recharge.Topic, version recharge.Version) bool {
	return topic != "charge/deleted" && topic != "customer/deleted" && (topic != "subscription/deleted" || version == recharge.Version202111)
}

func updatedAt(w recharge.Webhook) time.Time {
	switch {
	case w.Subscription != nil:
		return w.Subscription.UpdatedAt
	case w.Charge != nil:
		return w.Charge.UpdatedAt
	case w.Order != nil:
		return w.Order.UpdatedAt
	}
	return w.Customer.UpdatedAt
}

// Samples produce what their topic is for: an event, a fact or a text. Those that do not need earlier webhooks for it, or only update the
// state.
func TestSamplesProduceOutput(t *testing.T) {
	decoder, err := recharge.NewDecoder()
	require.NoError(t, err)
	settings := subscriber.Settings{Store: "acme", CustomerID: subscriber.ByRechargeID, SMS: true, Switches: subscriber.AllSwitches()}
	for _, version := range webhooksample.Versions() {
		var quiet []recharge.Topic
		for _, topic := range webhooksample.Topics() {
			body, err := webhooksample.Sample{Topic: topic, Version: version, Customer: 7, At: at}.Body()
			require.NoError(t, err)
			webhook, err := decoder.Decode(topic, body, at)
			require.NoError(t, err)
			if webhook.CustomerID() == "" {
				continue
			}
			decision, _, err := subscriber.Decide(settings, &subscriber.State{}, webhook, at)
			require.NoError(t, err, topic)
			if decision.Empty() {
				quiet = append(quiet, topic)
			}
		}
		assert.Equal(t, []recharge.Topic{
			"charge/updated", "charge/uncaptured", "customer/deactivated", "customer/deleted", "subscription/updated",
		}, quiet, version)
	}
}

// A request is what the gateway accepts: the signatures are those of its body.
func TestRequest(t *testing.T) {
	s := webhooksample.Sample{Topic: "charge/paid", Version: recharge.Version202101, Customer: 7, At: at}
	request, err := s.Request(t.Context(), "http://127.0.0.1:8080/webhooks/acme/charge/paid/token", "secret")
	require.NoError(t, err)
	assert.Equal(t, http.MethodPost, request.Method)
	assert.Equal(t, "/webhooks/acme/charge/paid/token", request.URL.Path)
	body, err := io.ReadAll(request.Body)
	require.NoError(t, err)
	want, err := s.Body()
	require.NoError(t, err)
	assert.Equal(t, string(want), string(body))
	assert.Contains(t, string(body), `"email": "sample-7@example.com"`)
	assert.Contains(t, string(body), `"updated_at": "2026-07-01T11:04:03"`)
	scheme, err := recharge.Verify(request.Header, body, []string{"secret"}, at)
	require.NoError(t, err)
	assert.Equal(t, recharge.SchemeTimestamped, scheme)
	request.Header.Del(recharge.HeaderSignature)
	_, err = recharge.Verify(request.Header, body, []string{"secret"}, at)
	require.NoError(t, err, "the legacy signature, too")
	_, err = webhooksample.Sample{Topic: "plan/created", Version: recharge.Version202101, Customer: 7, At: at}.Request(t.Context(), "http://127.0.0.1/", "secret")
	require.ErrorIs(t, err, webhooksample.ErrNoSample)
}
