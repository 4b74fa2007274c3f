package flowstats

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/partitions"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// optOuts are the times at which numbers in E.164 have opted out.
type optOuts map[phone][]time.Time

// phone identifies a number of a store's customer.
type phone struct{ store, number string }

// optOuts reads recharge.consent. It returns what was decided since the first text.
func (s Source) optOuts(ctx context.Context, o Options) (optOuts, error) {
	found := optOuts{}
	for r, err := range kafka.Scan(ctx, s.Cluster, s.Topics.Consent(), time.Time{}) {
		if err != nil {
			return nil, err
		}
		if r.Value == nil {
			continue
		}
		c, err := consent.Decode(r.Value) // the sms role reports rows that can't be read
		if err == nil && c.Status == consent.OptedOut && o.Zones[c.Store] != nil && !c.At.Before(o.start()) {
			at := phone{c.Store, c.Number}
			found[at] = append(found[at], c.At)
		}
	}
	return found, nil
}

// numbers finds the customers who have numbers that have opted out: by the triggers of their texts, which are kept for 30 days, and by their rows in
// recharge.customers.
func (s Source) numbers(ctx context.Context, reader *partitions.Reader, partition int, to *Counter, outs optOuts) error {
	seen := map[customer]string{} // the last number as typed, which is the same for most triggers
	tell := func(who customer, typed, country string) {
		if typed == "" || len(to.customers[who]) == 0 || seen[who] == typed+country {
			return
		}
		seen[who] = typed + country
		number, err := sms.Number(typed, country, s.Regions[who.store])
		if err != nil {
			return
		}
		for _, at := range outs[phone{who.store, number}] {
			to.OptedOut(who.store, who.id, at)
		}
	}
	err := reader.Read(ctx, s.Topics.Triggers(), partition, to.options.start(), func(r kafka.Record) error {
		var t subscriber.Trigger
		if r.Header(envelope.HeaderCEType) == envelope.TypeTrigger && json.Unmarshal(r.Value, &t) == nil {
			tell(customer{t.Store, t.RechargeCustomerID}, t.Recipient.Phone, cmp.Or(t.Recipient.PhoneCountry, t.Recipient.Country))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return reader.Read(ctx, s.Topics.Customers(), partition, time.Time{}, func(r kafka.Record) error {
		var row subscriber.CustomerRow
		if json.Unmarshal(r.Value, &row) == nil {
			tell(customer{row.Store, row.RechargeCustomerID}, row.Phone, "")
		}
		return nil
	})
}
