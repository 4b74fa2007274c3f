package registration_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/registration"
)

const (
	newest, older = "rc_client_secret_new", "rc_client_secret_old"
	host          = "https://hooks.example.com"
)

// acme uses two topics.
func acme() registration.Store {
	return registration.Store{
		Name: "acme", URL: host, Secrets: []string{newest, older},
		Uses: func(t recharge.Topic) bool { return t.Current() == "charge/paid" || t == "customer/updated" },
	}
}

// at returns a registration at an address. TOKEN, OLD and BAD in it are replaced by tokens.
func at(id string, topic recharge.Topic, address string) recharge.Registration {
	for word, secret := range map[string]string{"TOKEN": newest, "OLD": older, "BAD": "another"} {
		address = strings.ReplaceAll(address, word, admission.Token("acme", topic, secret))
	}
	return recharge.Registration{ID: id, Topic: topic, Address: address, Included: registration.Included(topic)}
}

func TestWanted(t *testing.T) {
	assert.Equal(t, []recharge.Registration{
		{Topic: "charge/paid", Address: host + "/webhooks/acme/charge/paid/" + admission.Token("acme", "charge/paid", newest), Included: []string{"customer"}},
		{Topic: "customer/updated", Address: host + "/webhooks/acme/customer/updated/" + admission.Token("acme", "customer/updated", newest)},
	}, registration.Wanted(acme()), "charge/success is an older name")
}

func TestScopes(t *testing.T) {
	assert.Equal(t, []string{"read_customers", "read_orders", "read_subscriptions"}, registration.Scopes(acme()))
	needed := []string{"read_customers", "read_orders"}
	assert.Equal(t, needed, registration.Missing(needed, nil))
	assert.Equal(t, []string{"read_orders"}, registration.Missing(needed, []string{"read_products", "read_customers"}))
	assert.Empty(t, registration.Missing(needed, []string{"write_orders", "read_customers"}))
}

// Each case has one registration of charge/paid; customer/updated is missing throughout.
func TestPlanOfOneRegistration(t *testing.T) {
	for name, c := range map[string]struct {
		topic   recharge.Topic
		address string
		store   func(*registration.Store)
		status  registration.Status
		differs []string
		shown   string
	}{
		"ours":                  {address: host + "/webhooks/acme/charge/paid/TOKEN", status: registration.StatusOK, shown: host + "/webhooks/acme/charge/paid/***"},
		"no token":              {address: host + "/webhooks/acme/charge/paid", status: registration.StatusAltered, differs: []string{registration.DiffersNoToken}, shown: host + "/webhooks/acme/charge/paid"},
		"token of old secret":   {address: host + "/webhooks/acme/charge/paid/OLD", status: registration.StatusAltered, differs: []string{registration.DiffersOldToken}, shown: host + "/webhooks/acme/charge/paid/***"},
		"token of other secret": {address: host + "/webhooks/acme/charge/paid/BAD", status: registration.StatusAltered, differs: []string{registration.DiffersBadToken}, shown: host + "/webhooks/acme/charge/paid/***"},
		"more than a token":     {address: host + "/webhooks/acme/charge/paid/TOKEN/more", status: registration.StatusAltered, differs: []string{registration.DiffersBadToken}, shown: host + "/webhooks/acme/charge/paid/***/***"},
		"slash at the end":      {address: host + "/webhooks/acme/charge/paid/TOKEN/", status: registration.StatusAltered, differs: []string{registration.DiffersSpelling}, shown: host + "/webhooks/acme/charge/paid/***"},
		"slash too many":        {address: host + "//webhooks/acme/charge/paid/TOKEN", status: registration.StatusAltered, differs: []string{registration.DiffersSpelling}, shown: host + "/webhooks/acme/charge/paid/***"},
		"host in upper case":    {address: "https://Hooks.example.com/webhooks/acme/charge/paid/TOKEN", status: registration.StatusAltered, differs: []string{registration.DiffersSpelling}, shown: "https://Hooks.example.com/webhooks/acme/charge/paid/***"},
		"port named":            {address: host + ":443/webhooks/acme/charge/paid/TOKEN", status: registration.StatusAltered, differs: []string{registration.DiffersSpelling}, shown: host + ":443/webhooks/acme/charge/paid/***"},
		"other scheme":          {address: "http://hooks.example.com/webhooks/acme/charge/paid/OLD", status: registration.StatusAltered, differs: []string{registration.DiffersScheme, registration.DiffersOldToken}, shown: "http://hooks.example.com/webhooks/acme/charge/paid/***"},
		"mistyped path":         {address: host + "/webhooks/acme/charge/paidd/TOKEN", status: registration.StatusAltered, differs: []string{registration.DiffersTopic}, shown: host + "/webhooks/acme/charge/paidd/***"},
		"token in wrong place":  {address: host + "/webhooks/acme/TOKEN", status: registration.StatusAltered, differs: []string{registration.DiffersTopic}, shown: host + "/webhooks/acme/***"},
		"path of other topic":   {address: host + "/webhooks/acme/charge/failed/TOKEN", status: registration.StatusAltered, differs: []string{registration.DiffersTopic}, shown: host + "/webhooks/acme/charge/failed/***"},
		"unused topic":          {topic: "product/created", address: host + "/webhooks/acme/product/created/TOKEN", status: registration.StatusUnused, shown: host + "/webhooks/acme/product/created/***"},
		"older name of a topic": {topic: "charge/success", address: host + "/webhooks/acme/charge/success/TOKEN", status: registration.StatusUnused, shown: host + "/webhooks/acme/charge/success/***"},
		"other host":            {address: "https://other.example.com/webhooks/acme/charge/paid/TOKEN?key=hidden", status: registration.StatusForeign, shown: "https://other.example.com/***"},
		"other port":            {address: host + ":8443/webhooks/acme/charge/paid/TOKEN", status: registration.StatusForeign, shown: host + ":8443/***"},
		"other path":            {address: host + "/shop/charge-paid", status: registration.StatusForeign, shown: host + "/***"},
		"other store":           {address: host + "/webhooks/acme2/charge/paid/TOKEN", status: registration.StatusForeign, shown: host + "/***"},
		"other base path":       {address: host + "/below/webhooks/acme/charge/paid/TOKEN", status: registration.StatusForeign, shown: host + "/***"},
		"no URL":                {address: "::", status: registration.StatusForeign, shown: "***"},
		"nothing":               {address: "", status: registration.StatusForeign, shown: "***"},
		"ours below a path": {
			address: host + "/below/webhooks/acme/charge/paid/TOKEN", store: func(s *registration.Store) { s.URL = host + "/below" },
			status: registration.StatusOK, shown: host + "/below/webhooks/acme/charge/paid/***",
		},
		"not below the path": {
			address: host + "/webhooks/acme/charge/paid/TOKEN", store: func(s *registration.Store) { s.URL = host + "/below" },
			status: registration.StatusForeign, shown: host + "/***",
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, topic := acme(), c.topic
			if c.store != nil {
				c.store(&store)
			}
			if topic == "" {
				topic = "charge/paid"
			}
			found := at("1", topic, c.address)
			rows := registration.Plan(store, []recharge.Registration{found})
			row := rows[len(rows)-1]
			for _, each := range rows {
				if each.Found.ID == "1" {
					row = each
				}
			}
			assert.Equal(t, c.status, row.Status)
			assert.Equal(t, c.differs, row.Differs)
			assert.Equal(t, found, row.Found)
			assert.Equal(t, c.shown, store.Shown(found.Address))
			assert.NotContains(t, store.Shown(found.Address), admission.Token("acme", topic, newest))
		})
	}
}

func TestPlanOfIncludedObjects(t *testing.T) {
	for name, c := range map[string]struct {
		included []string
		status   registration.Status
	}{
		"as wanted": {[]string{"customer"}, registration.StatusOK},
		"none":      {nil, registration.StatusAltered},
		"more":      {[]string{"metafields", "customer"}, registration.StatusAltered},
	} {
		t.Run(name, func(t *testing.T) {
			found := at("1", "charge/paid", host+"/webhooks/acme/charge/paid/TOKEN")
			found.Included = c.included
			row := registration.Plan(acme(), []recharge.Registration{found})[0]
			assert.Equal(t, c.status, row.Status)
			assert.Equal(t, c.status == registration.StatusAltered, len(row.Differs) == 1 && row.Differs[0] == registration.DiffersObjects)
		})
	}
}

// All rows, in their order.
func TestPlan(t *testing.T) {
	altered := at("2", "charge/paid", host+"/webhooks/acme/charge/paid/TOKEN")
	altered.Included = nil
	rows := registration.Plan(acme(), []recharge.Registration{
		at("1", "charge/paid", host+"/webhooks/acme/charge/paid/OLD"),
		altered,
		at("3", "charge/paid", host+"/webhooks/acme/charge/paid"),
		at("4", "charge/paid", "https://other.example.com/"),
		at("5", "order/created", host+"/webhooks/acme/order/created"),
	})
	type short struct {
		topic  recharge.Topic
		status registration.Status
		id     string
	}
	var got []short
	for _, row := range rows {
		got = append(got, short{row.Topic, row.Status, row.Found.ID})
	}
	assert.Equal(t, []short{
		{"charge/paid", registration.StatusAltered, "2"}, // another can't be changed to its address
		{"charge/paid", registration.StatusDuplicate, "1"},
		{"charge/paid", registration.StatusDuplicate, "3"},
		{"customer/updated", registration.StatusMissing, ""},
		{"charge/paid", registration.StatusForeign, "4"},
		{"order/created", registration.StatusUnused, "5"},
	}, got)
	require.Len(t, registration.Statuses(), 6)
}
