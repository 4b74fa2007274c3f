package pipeline

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// tables are the rows of recharge.customers and recharge.subscriptions that changed; one that is gone has no value.
func (t *transform) tables(of whose, before, after *subscriber.Memory, at time.Time) []output {
	store, customer := of.settings.Store, of.customer
	var changed []output
	add := func(topic, subject, key string, value any) {
		changed = append(changed, output{
			topic: topic, subject: subject, store: store, customerID: customer, key: key, at: at, value: value,
		})
	}
	was, is := before.Row(store, customer), after.Row(store, customer)
	switch {
	case is != nil && !reflect.DeepEqual(was, is):
		add(t.topics.Customers(), schemas.Customers, customer, is)
	case is == nil && was != nil:
		add(t.topics.Customers(), schemas.Customers, customer, nil)
	}
	had, have := before.SubscriptionRows(store, customer), after.SubscriptionRows(store, customer)
	for _, id := range slices.Sorted(maps.Keys(have)) {
		if old, existed := had[id]; !existed || !reflect.DeepEqual(old, have[id]) {
			add(t.topics.Subscriptions(), schemas.Subscriptions, customer+"/"+id, have[id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(had)) {
		if _, still := have[id]; !still {
			add(t.topics.Subscriptions(), schemas.Subscriptions, customer+"/"+id, nil)
		}
	}
	return changed
}
