package console_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/webhooksample"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// TestPictures takes the pictures of docs/console.md, of sample customers, with PICTURES=1 only: .cache/screenshots/docs-*.png. In docs/console they are
// smaller: pngquant --strip 64.
func TestPictures(t *testing.T) {
	if os.Getenv("PICTURES") == "" {
		t.Skip("PICTURES=1 takes the pictures of docs/console.md")
	}
	d := start(t).desk(t)
	for _, args := range [][]string{
		{"flows", "activate", "subscription_started", "subscription_paused", "subscription_canceled", "charge_failed"},
		{"segments", "create", "at_risk", "received charge_failed in 30d and not clicked charge_failed"},
	} {
		_, err := d.lab.Run(t.Context(), append(args, "--store", lab.Store, "--by", "ann")...)
		require.NoError(t, err)
	}
	d.enter("ann")
	for nth := range int64(3) {
		for _, topic := range []recharge.Topic{"customer/created", "subscription/created", "charge/max_retries_reached", "subscription/paused", "subscription/cancelled"} {
			d.sample(topic, customer+nth)
		}
	}
	const texts = `#now a[href^="/acme/texts/"]`
	d.Await(fmt.Sprintf("document.querySelectorAll(%q).length > 8", texts))
	d.picture("/acme/texts", "Subscription canceled", "texts")
	d.visit("/acme/texts?flow=subscription_canceled")
	d.Click(`main a[href^="/acme/texts/"]`)
	d.Sees("#life-title", "Its life")
	d.Picture("docs-text")
	d.picture("/acme/customers/246936001", "Subscriptions and charges", "customer")
	d.visit("/acme/segments")
	d.Type("#conditions", "received any in 30d and not clicked any")
	d.Sees("#count", " of ")
	d.Picture("docs-segments")
	d.picture("/pipeline", "rechargeflow.sms", "pipeline")
}

// picture opens a page, and saves a picture of it.
func (d *desk) picture(path, words, name string) {
	d.t.Helper()
	d.visit(path)
	d.Sees("main", words)
	d.Picture("docs-" + name)
}

// sample sends a sample webhook of a customer.
func (d *desk) sample(topic recharge.Topic, of int64) {
	d.t.Helper()
	body, err := webhooksample.Sample{Topic: topic, Version: recharge.Version202111, Customer: of, At: time.Now()}.Body()
	require.NoError(d.t, err)
	status, answer, err := d.lab.Send(d.t.Context(), lab.Webhook{Store: lab.Store, Topic: string(topic), Body: body})
	require.NoError(d.t, err)
	require.Equal(d.t, http.StatusOK, status, answer)
}
