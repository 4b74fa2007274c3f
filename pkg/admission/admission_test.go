package admission_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

const (
	secret = "rc_client_secret_test"
	body   = `{"subscription":{"id":784594001,"customer_id":246936001}}`
	topic  = recharge.Topic("subscription/created")
)

func atTen() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) }

// admissionOf accepts the webhooks of the store acme.
func admissionOf(store admission.Store) *admission.Admission {
	if store.Secrets == nil {
		store.Secrets = []string{secret}
	}
	return admission.New(admission.Config{Stores: map[string]admission.Store{"acme": store, "beta": {Secrets: []string{"another secret"}}}, BodyLimit: 1 << 10, Bodies: httplimit.NewBudget(1 << 20)})
}

func address(topic recharge.Topic, token string) admission.Address {
	resource, action, _ := strings.Cut(string(topic), "/")
	return admission.Address{Store: "acme", Resource: resource, Action: action, Token: token}
}

// request is a webhook with both signatures, as Recharge sends it.
func request(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	rechargetest.Sign(r.Header, []byte(body), secret, atTen())
	return r
}

// stripped is a request without its timestamped signature.
func stripped(body string) *http.Request {
	r := request(body)
	r.Header.Del(recharge.HeaderSignature)
	r.Header.Del(recharge.HeaderTimestamp)
	return r
}

// refused admits a request and returns why it is refused, "" if it is accepted. A refusal has a status and an advice.
func refused(t *testing.T, a *admission.Admission, r *http.Request, to admission.Address) reason.Reason {
	t.Helper()
	_, err := a.Admit(httptest.NewRecorder(), r, to, atTen())
	var refusal *admission.Refusal
	if !errors.As(err, &refusal) {
		require.NoError(t, err)
		return ""
	}
	require.GreaterOrEqual(t, refusal.Status, http.StatusBadRequest)
	require.NotEmpty(t, refusal.Advice)
	require.NotContains(t, refusal.Advice, secret)
	if to.Token != "" {
		require.NotContains(t, refusal.Advice, to.Token)
	}
	return refusal.Reason
}

// The token is what other tools can compute, too.
func TestToken(t *testing.T) {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("rechargeflow:webhook-address:v1\nacme\nsubscription/created"))
	want := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))[:22]
	assert.Equal(t, want, admission.Token("acme", topic, secret))
	assert.Equal(t, "/webhooks/acme/subscription/created/"+want, admission.Path("acme", topic, secret))
}

// A token is valid for its store and topic, with any of the secrets. A wrong one is refused whatever the setting is.
func TestAddressToken(t *testing.T) {
	right := admission.Token("acme", topic, secret)
	for name, test := range map[string]struct {
		token             string
		optional, require reason.Reason
	}{
		"right":                {right, "", ""},
		"none":                 {"", "", reason.NoAddressToken},
		"of another topic":     {admission.Token("acme", "subscription/deleted", secret), reason.BadAddressToken, reason.BadAddressToken},
		"of another store":     {admission.Token("beta", topic, secret), reason.BadAddressToken, reason.BadAddressToken},
		"of another secret":    {admission.Token("acme", topic, "another secret"), reason.BadAddressToken, reason.BadAddressToken},
		"of the empty secret":  {admission.Token("acme", topic, ""), reason.BadAddressToken, reason.BadAddressToken},
		"of the second secret": {admission.Token("acme", topic, "old"), "", ""},
		"cut":                  {right[:21], reason.BadAddressToken, reason.BadAddressToken},
		"longer":               {right + "A", reason.BadAddressToken, reason.BadAddressToken},
		"in other case":        {strings.ToUpper(right), reason.BadAddressToken, reason.BadAddressToken},
	} {
		t.Run(name, func(t *testing.T) {
			for _, required := range []bool{false, true} {
				want := test.optional
				if required {
					want = test.require
				}
				a := admissionOf(admission.Store{Secrets: []string{secret, "", "old"}, RequireAddressToken: required})
				assert.Equal(t, want, refused(t, a, request(body), address(topic, test.token)), "required: %t", required)
			}
		})
	}
	webhook, err := admissionOf(admission.Store{}).Admit(httptest.NewRecorder(), request(body), address(topic, right), atTen())
	require.NoError(t, err)
	assert.True(t, webhook.AddressToken)
	webhook, err = admissionOf(admission.Store{}).Admit(httptest.NewRecorder(), request(body), address(topic, ""), atTen())
	require.NoError(t, err)
	assert.False(t, webhook.AddressToken)
}

// Whoever has a webhook with both signatures can't send it to another topic where tokens are required.
func TestCrossTopic(t *testing.T) {
	a := admissionOf(admission.Store{RequireAddressToken: true})
	token := admission.Token("acme", topic, secret)
	assert.Empty(t, refused(t, a, request(body), address(topic, token)))
	for _, other := range recharge.Topics() {
		if other != topic {
			assert.Equal(t, reason.BadAddressToken, refused(t, a, request(body), address(other, token)), other)
			assert.Equal(t, reason.NoAddressToken, refused(t, a, request(body), address(other, "")), other)
		}
	}
}

// The legacy signature is accepted at an address until a timestamped one was seen there. Other addresses don't change.
func TestStrippedSignature(t *testing.T) {
	a := admissionOf(admission.Store{})
	require.Empty(t, refused(t, a, stripped(body), address(topic, "")), "nothing seen yet")
	require.Empty(t, refused(t, a, stripped(body), address(topic, "")), "a legacy signature changes nothing")

	forged := stripped(body)
	forged.Header.Set(recharge.HeaderSignature, "t=1772359200,v1=00")
	require.Equal(t, reason.BadSignature, refused(t, a, forged, address(topic, "")))
	require.Empty(t, refused(t, a, stripped(body), address(topic, "")), "a signature that is not valid changes nothing")

	require.Empty(t, refused(t, a, request(body), address(topic, "")))
	assert.Equal(t, reason.SignatureStripped, refused(t, a, stripped(body), address(topic, "")))
	assert.Empty(t, refused(t, a, stripped(body), address("subscription/updated", "")), "another topic")
	assert.Empty(t, refused(t, a, request(body), address(topic, "")))
}

// A topic that Recharge does not have is not remembered: callers with a signature could name any number of them.
func TestUnknownTopicsAreNotRemembered(t *testing.T) {
	a := admissionOf(admission.Store{})
	require.Empty(t, refused(t, a, request(body), address("subscription/unheard_of", "")))
	assert.Empty(t, refused(t, a, stripped(body), address("subscription/unheard_of", "")))
}

func TestTimestampedOnly(t *testing.T) {
	a := admissionOf(admission.Store{TimestampedOnly: true})
	assert.Equal(t, reason.LegacySignature, refused(t, a, stripped(body), address(topic, "")))
	assert.Empty(t, refused(t, a, request(body), address(topic, "")))

	old := stripped(body)
	rechargetest.Sign(old.Header, []byte(body), secret, atTen().Add(-49*time.Hour))
	assert.Equal(t, reason.SignatureExpired, refused(t, a, old, address(topic, "")))
	none := stripped(body)
	none.Header.Del(recharge.HeaderLegacySignature)
	assert.Equal(t, reason.NoSignature, refused(t, a, none, address(topic, "")))
}

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, errors.New("read")
}

func (u unread) Close() error { return nil }

// What can be decided without the body is decided before it is read: a caller that nobody knows takes no memory.
func TestBodyIsReadLast(t *testing.T) {
	strict := admission.Store{RequireAddressToken: true, TimestampedOnly: true}
	right := admission.Token("acme", topic, secret)
	for want, test := range map[reason.Reason]struct {
		to      admission.Address
		request *http.Request
	}{
		reason.UnknownStore:    {admission.Address{Store: "nobody", Resource: "subscription", Action: "created"}, request(body)},
		reason.UnknownPath:     {address("Subscription/created", ""), request(body)},
		reason.NoAddressToken:  {address(topic, ""), request(body)},
		reason.BadAddressToken: {address(topic, "wrong"), request(body)},
		reason.LegacySignature: {address(topic, right), stripped(body)},
		reason.NoSignature:     {address(topic, right), httptest.NewRequest(http.MethodPost, "/", nil)},
	} {
		test.request.Body = unread{t}
		assert.Equal(t, want, refused(t, admissionOf(strict), test.request, test.to))
	}
}

func TestBodyOfAnotherResource(t *testing.T) {
	a := admissionOf(admission.Store{})
	assert.Equal(t, reason.OtherResource, refused(t, a, request(`{"charge":{"id":1}}`), address(topic, "")))
	assert.Empty(t, refused(t, a, request(`{"charge":{"id":1}}`), address("charge/paid", "")))
	assert.Equal(t, reason.NotJSON, refused(t, a, request(`{"charge":{"id":1}`), address("charge/paid", "")))
}

// Logs get a path without its token, wherever in the path it is.
func TestMask(t *testing.T) {
	masker := admission.NewMasker()
	for _, secret := range []string{"one", "two", "three", "four", secret} {
		token := admission.Token("acme", topic, secret)
		for path, want := range map[string]string{
			"/webhooks/acme/subscription/created/" + token:               "/webhooks/acme/subscription/created/***",
			"/webhooks/acme/subscription/created/" + token[:9]:           "/webhooks/acme/subscription/created/***",
			"/webhooks/acme/subscription/created/" + token + "/" + token: "/webhooks/acme/subscription/created/***/***",
			"/webhooks/acme/" + token:                                    "/webhooks/acme/***",
			"/" + token + "." + token:                                    "/***.***",
			"/webhooks/acme/customer/payment_method_updated":             "/webhooks/acme/customer/payment_method_updated",
			"/webhooks/acme/subscription/removed_from_skipped_charge":    "/webhooks/acme/subscription/removed_from_skipped_charge",
			"/": "/",
		} {
			masked := masker.Mask(&http.Request{Method: "POST", RemoteAddr: "203.0.113.7:1", URL: &url.URL{Path: path}})
			assert.Equal(t, want, masked.URL.Path)
			assert.Equal(t, "203.0.113.7:1", masked.RemoteAddr)
			assert.Equal(t, "POST", masked.Method)
		}
	}
}
