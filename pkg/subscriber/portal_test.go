package subscriber_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/seal"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// A tracked event has the link to the portal, which only the store's key opens.
func TestPortalLink(t *testing.T) {
	s := byEmail()
	s.SMS, s.Extras = false, []string{"paused"}
	s.Portal = subscriber.Portal{Template: "https://{shop}/portal/{hash}", ShopURL: "https://acme.example", Key: seal.New("a long random secret", "portal link")}
	customer := jo(start())
	customer.Hash = "f99bd4a6"
	encoded := func(e subscriber.Event) []byte {
		raw, err := e.AppendJSON(nil)
		require.NoError(t, err)
		assert.NotContains(t, string(raw), "f99bd4a6")
		return raw
	}
	opened := func(raw []byte, portal subscriber.Portal) string {
		e, err := subscriber.NewEventDecoder(portal).Decode(raw)
		require.NoError(t, err)
		return e.PortalLink
	}
	d, _, err := subscriber.Decide(s, &subscriber.State{}, with(about("subscription/created", start()), customer), start())
	require.NoError(t, err)
	raw := encoded(d.Events[0])
	assert.Contains(t, string(raw), `"portal_link":"`)
	assert.Equal(t, "https://acme.example/portal/f99bd4a6", opened(raw, s.Portal))
	assert.Empty(t, opened(raw, subscriber.Portal{}))
	assert.Empty(t, opened(raw, subscriber.Portal{Key: seal.New("another long secret", "portal link")}), "a changed key")

	d, _, err = subscriber.Decide(s, &subscriber.State{}, with(about("subscription/paused", start()), customer), start())
	require.NoError(t, err)
	assert.NotEmpty(t, opened(encoded(d.Facts[0]), s.Portal), "a tracked fact")
	d, _, err = subscriber.Decide(s, &subscriber.State{}, with(about("subscription/skipped", start()), customer), start())
	require.NoError(t, err)
	assert.Empty(t, d.Facts[0].PortalLink, "nobody tracks it")

	s.Portal.Template = ""
	d, _, err = subscriber.Decide(s, &subscriber.State{}, with(about("subscription/created", start()), customer), start())
	require.NoError(t, err)
	assert.Empty(t, d.Events[0].PortalLink)
}
