package pipeline_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// No request panics. For a 200 there is a record with exactly the bytes of the body;
// every other answer explains the error in JSON.
func FuzzGateway(f *testing.F) {
	body := subscriptionBody("784594001", joBean)
	const signed, kafkaDown = 1, 2
	for _, seed := range []struct {
		switches         byte
		method, path     string
		signature, trace string
		body             string
	}{
		{signed, "POST", "/webhooks/acme/subscription/created", "", traceparent, body},
		{signed | kafkaDown, "POST", "/webhooks/acme/subscription/created", "", "", body},
		{signed, "POST", "/webhooks/acme/subscription/created", "", "", "[" + body},
		{signed, "POST", "/webhooks/acme/x/y", "", "\x00\xff", `{"x":{"id":"\u0031","customer_id":1e5}}`},
		{0, "POST", "/webhooks/acme/subscription/created", "t=1772359200,v1=00,v1=,v0=1", "", body},
		{0, "POST", "/webhooks/acme/subscription/created", "t=,v1", "", body},
		{0, "POST", "/webhooks/acme/subscription/created", "", "", body},
		{signed, "POST", "/webhooks/acme/subscription%2fcreated/x", "", "", body},
		{signed, "POST", "/webhooks/%61cme/subscription/created?x=1", "", "", body},
		{signed, "POST", "/webhooks/acme/../acme/subscription/created", "", "", body},
		{signed, "POST", "/webhooks/acme/subscription/created/", "", "", body},
		{signed, "POST", "//webhooks/acme/subscription/created", "", "", body},
		{signed, "GET", "/webhooks/acme/subscription/created", "", "", ""},
		{signed, "DELETE", "/", "", "", "{}"},
		{signed, "POST", "/webhooks/acme/subscription/created", "", "", strings.Repeat("{", 1000)},
		{signed, "POST", "/webhooks/acme/subscription/created", "", "", strings.Repeat(" ", 17<<10)},
		{signed, "POST", "/webhooks/acme/subscription/created", "", "", ""},
	} {
		f.Add(seed.switches, seed.method, seed.path, seed.signature, seed.trace, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, switches byte, method, path, signature, trace string, body []byte) {
		target, err := url.ParseRequestURI(path)
		if err != nil || method == http.MethodOptions || method == http.MethodHead {
			return // net/http answers itself, or the answer has no body by its nature
		}
		var stored []kafka.Record
		d := newGatewayBench(t, func(_ context.Context, records ...kafka.Record) error {
			if switches&kafkaDown != 0 {
				return errors.New("no leader")
			}
			stored = append(stored, records...)
			return nil
		}, nil)
		request, err := http.NewRequestWithContext(t.Context(), method, "/", strings.NewReader(string(body)))
		if err != nil {
			return // no method
		}
		request.URL, request.RequestURI = target, path
		if switches&signed != 0 {
			rechargetest.Sign(request.Header, body, secret, atTen())
		}
		if signature != "" {
			request.Header.Set("X-Recharge-Webhook-Signature", signature)
		}
		request.Header.Set("traceparent", trace)

		answer := d.send(request)
		if answer.Code == http.StatusOK {
			require.Len(t, stored, 1)
			require.Equal(t, string(body), string(stored[0].Value))
			return
		}
		require.Empty(t, stored)
		requireRefusal(t, answer)
	})
}
