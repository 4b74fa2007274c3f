//go:build bench

package bench

import (
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// mix is webhooks to measure with. take returns the first n.
type mix struct {
	name string
	take func(n int) []webhook
}

// webhook is what the gateway knows of one.
type webhook struct {
	topic    string
	customer string
	body     []byte
}

// newCustomers are all of other customers: each is heard of for the first time.
func newCustomers() mix {
	return mix{"new customers", func(n int) []webhook {
		all, now := make([]webhook, n), time.Now().UTC()
		for id := range all {
			all[id] = webhook{webhookTopic, strconv.Itoa(3_000_000 + id), webhookBody(id, now)}
		}
		return all
	}}
}

// lives are what befalls customers, side by side.
func lives() mix {
	const (
		sideBySide = 1000
		duplicates = 0.05
		apart      = 30 * 24 * time.Hour
	)
	return mix{"lives", func(n int) []webhook {
		var all []webhook
		for first := 0; len(all) < n; first += sideBySide {
			begun := make([]rechargetest.Life, sideBySide)
			for i := range begun {
				begun[i] = rechargetest.Life{
					Customer: first + i + 1, Items: 1 + i%4, Included: true, Seed: uint64(i), Version: recharge.Version202111,
					Topics: append(rechargetest.RecordedTopics(), rechargetest.AssumedTopics()...),
				}
			}
			at := time.Now().UTC().Add(-apart * time.Duration(len(rechargetest.Kinds())))
			for _, kind := range rechargetest.Kinds() {
				for i, life := range begun {
					for _, d := range rechargetest.Duplicates(uint64(i), duplicates, time.Second, life.Burst(kind, at)) {
						all = append(all, webhook{string(d.Topic), life.CustomerID(), d.Body})
					}
					begun[i] = life.After(kind, at)
				}
				at = at.Add(apart)
			}
		}
		return all[:n]
	}}
}
