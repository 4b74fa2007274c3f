package flow_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

func TestPreviews(t *testing.T) {
	f := flow.Flow{Key: flow.UpcomingOrder, Text: "{{ shop_name }}: {% if order_number %}order {{ order_number }}{% else %}{{ total }}{% endif %} {{ portal_url }}"}
	previews, err := flow.Previews(f, flow.Shop{Name: "Acme ✨", URL: "https://acme.example", PortalURL: "https://{shop}/p/{hash}"})
	require.NoError(t, err)
	assert.Equal(t, []flow.Preview{
		{About: flow.AboutCharge, Text: "Acme ✨: $1,249.90 https://acme.example/p/6f5902ac237024bd", Encoding: flow.UCS2, Characters: 57, Parts: 1},
		{About: flow.AboutOrder, Text: "Acme ✨: order 1048576 https://acme.example/p/6f5902ac237024bd", Encoding: flow.UCS2, Characters: 61, Parts: 1},
	}, previews)

	previews, err = flow.Previews(flow.Flow{Key: flow.ChargePaid, Text: "{{ shop_name }} {{ payment_url }}"}, flow.Shop{})
	require.NoError(t, err)
	assert.Equal(t, flow.Sample().Shop.Name+" "+flow.Sample().Charge.PaymentUpdateURL, previews[0].Text, "what the shop lacks is the sample's")

	previews, err = flow.Previews(flow.Flow{Key: flow.ChargePaid, Text: strings.Repeat("x", 140)}, flow.Shop{Name: "Acme", OptOut: "Reply STOP to opt out."})
	require.NoError(t, err)
	assert.Equal(t, "Acme: "+strings.Repeat("x", 140), previews[0].Text)
	assert.Equal(t, []int{1, 2}, []int{previews[0].Parts, previews[0].OptOutParts}, "%+v", previews)

	_, err = flow.Previews(flow.Flow{Key: flow.ChargePaid, Text: "{{ nope }}"}, flow.Shop{})
	require.ErrorIs(t, err, flow.ErrBadTemplate)
}
