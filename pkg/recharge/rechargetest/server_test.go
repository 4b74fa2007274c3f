package rechargetest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/test/histories"
)

func TestPutRefuses(t *testing.T) {
	server := rechargetest.NewServer("token")
	defer server.Close()
	for body, want := range map[string]string{
		`nonsense`:                     "decode document",
		`{"order":{"id":1}}`:           "no customer, subscription, charge or event",
		`{"customer":{"id":"x"}}`:      "put customer: id is not a number",
		`{"subscription":7}`:           "decode subscription",
		`{"charge":{"status":"done"}}`: "put charge: id is not a number",
	} {
		assert.ErrorContains(t, server.Put([]byte(body)), want)
	}
}

// A webhook's body can be put as it is; a customer put by id is answered byte for byte.
func TestPutAnswers(t *testing.T) {
	server := rechargetest.NewServer("token")
	server.Close()
	server.Close()
	server = rechargetest.NewServer("token")
	defer server.Close()
	customer := histories.Customer{Number: 7, Included: true}
	for _, d := range customer.Burst(histories.FirstCheckout, noon) {
		if d.Topic.Resource() != "order" {
			require.NoError(t, server.Put(d.Body()))
		}
	}
	c := &plainClient{server: server}
	list := c.call(t, "GET /subscriptions?status=active&customer_id="+customer.ID(), false)
	assert.Contains(t, list, `"id":`+customer.SubscriptionID(1)+`,`)
	server.PutCustomer("7", []byte(` {"customer":{"id":7} }`))
	assert.Equal(t, `200  {"customer":{"id":7} }`, c.call(t, "GET /customers/7", false))
}

func TestClientReadsCustomerBody(t *testing.T) {
	server := rechargetest.NewServer("token")
	defer server.Close()
	want := histories.Customer{Number: 7, Items: 3}
	server.PutCustomer(want.ID(), want.Body(2, noon))
	client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: server.URL, Token: "token"})
	require.NoError(t, err)
	customer, err := client.Customer(t.Context(), want.ID())
	require.NoError(t, err)
	assert.Equal(t, want.ID(), customer.ID)
	assert.Equal(t, want.Email(), customer.Email)
	assert.Equal(t, want.Phone(), customer.Phone)
	assert.Equal(t, 2, customer.ActiveSubscriptions)
	assert.Equal(t, 3, customer.TotalSubscriptions)
}
