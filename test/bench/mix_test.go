//go:build bench

package bench

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/test/histories"
)

// mix are the webhooks of a measurement. take returns the first n.
type mix struct {
	name string
	take func(n int) []webhook
}

// webhook is a webhook as the gateway receives it. key is that of its record, without the store: the customer if the body names one.
type webhook struct {
	topic string
	key   string
	body  []byte
}

// newCustomers are webhooks each of another customer.
func newCustomers() mix {
	return mix{"new customers", func(n int) []webhook {
		all, now := make([]webhook, n), time.Now().UTC()
		for id := range all {
			all[id] = webhook{webhookTopic, strconv.Itoa(firstCustomer + id), webhookBody(id, now)}
		}
		return all
	}}
}

// wholeHistories are of customers side by side, each with all recorded actions.
func wholeHistories() mix { return historiesFrom(0) }

// historiesFrom is wholeHistories of the customers from a number on.
func historiesFrom(number int) mix { return historiesOf(number, 1000) }

// historiesOf is historiesFrom with some customers side by side. With fewer, fewer webhooks have all actions.
func historiesOf(number, sideBySide int) mix {
	const apart = 30 * 24 * time.Hour
	duplicates := histories.Duplicates{Same: 0.05}
	return mix{"histories", func(n int) []webhook {
		var all []webhook
		for first := number; len(all) < n; first += sideBySide {
			accounts := make([]*histories.Account, sideBySide)
			for i := range accounts {
				accounts[i] = histories.Customer{
					Number: first + i + 1, Items: 1 + i%4, Included: true, Seed: uint64(i),
					Topics: append(histories.RecordedTopics(), histories.AssumedTopics()...),
				}.Open()
			}
			at := time.Now().UTC().Add(-apart * time.Duration(len(histories.Recorded())))
			for _, action := range histories.Recorded() {
				for i, account := range accounts {
					rng := rand.New(rand.NewPCG(uint64(i), 2))
					for _, d := range duplicates.Add(rng, time.Second, account.Burst(action, at)) {
						all = append(all, webhook{string(d.Topic), d.Key(), d.Body()})
					}
				}
				at = at.Add(apart)
			}
		}
		return all[:n]
	}}
}
