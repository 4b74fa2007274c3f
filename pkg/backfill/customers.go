package backfill

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// A customer is published with all subscriptions: one that is missing has vanished. So subscriptions are listed first and kept until the end,
// and a customer who is listed again, after a failure, has them again.

// keepSubscriptions keeps a page of subscriptions for their customers.
func (r *run) keepSubscriptions(_ context.Context, items []json.RawMessage) (map[string][]byte, error) {
	rows := make(map[string][]byte, len(items))
	for _, item := range items {
		w, body, err := r.decode("subscription", item, r.Now())
		if err == nil && w.CustomerID() != "" {
			rows[keptPrefix+w.CustomerID()+"/"+w.Subscription.ID] = body
			r.Subscriptions++
			continue
		}
		r.Unreadable++
		if id := customerNamedBy(item); id != "" {
			rows[keptPrefix+id+"/unreadable"] = []byte{}
		} else {
			r.Incomplete = true
		}
	}
	return rows, nil
}

// customerNamedBy returns the customer of a subscription that can't be decoded, "" if that can't be read either.
func customerNamedBy(item json.RawMessage) string {
	var named struct {
		CustomerID json.Number `json:"customer_id"`
	}
	_ = json.Unmarshal(item, &named) // the rest of it need not be readable
	return named.CustomerID.String()
}

// publishCustomers publishes a page of customers with their subscriptions.
func (r *run) publishCustomers(ctx context.Context, items []json.RawMessage) (map[string][]byte, error) {
	rows := make(map[string][]byte, len(items))
	var records []kafka.Record
	for _, item := range items {
		w, _, err := r.decode("customer", item, r.Now())
		if err != nil {
			r.Unreadable++
			continue
		}
		of, err := r.customer(w.Customer.ID, w.Customer)
		if err != nil {
			return nil, err
		}
		records = append(records, of...)
		rows[listedPrefix+w.Customer.ID] = []byte{}
		r.Customers++
	}
	return rows, r.Produce(ctx, records...)
}

// publishUnlisted publishes the subscriptions of customers who were not listed: they came while the list was read, or can't be decoded.
func (r *run) publishUnlisted(ctx context.Context, next Phase) error {
	last := ""
	for each, err := range r.Dir.rows(keptPrefix) {
		if err != nil {
			return err
		}
		id, _, _ := strings.Cut(each.key, "/")
		if id == last {
			continue
		}
		last = id
		if listed, err := r.Dir.has(listedPrefix + id); err != nil || listed {
			if err != nil {
				return err
			}
			continue
		}
		records, err := r.customer(id, nil)
		if err != nil {
			return err
		}
		if err := r.Produce(ctx, records...); err != nil {
			return err
		}
	}
	r.Phase, r.Cursor = next, ""
	return r.Dir.save(r.Progress, nil)
}

// customer returns the record of a customer with the subscriptions that were kept, and those of the subscriptions if their facts are wanted.
func (r *run) customer(id string, c *recharge.Customer) ([]kafka.Record, error) {
	l := recharge.Lookup{
		LookupRequest: recharge.LookupRequest{Store: r.Store, CustomerID: id, Kind: recharge.LookupSubscriptions},
		Customer:      c, Subscriptions: []recharge.Subscription{}, ListedAt: r.StartedAt, AnsweredAt: r.Now(),
	}
	// of a newer customer, subscriptions may have come after their list was read
	l.Complete = !r.Incomplete && c != nil && !c.CreatedAt.IsZero() && c.CreatedAt.Before(r.StartedAt)
	records := []kafka.Record{{}} // the first is that of the customer
	for each, err := range r.Dir.rows(keptPrefix + id + "/") {
		if err != nil {
			return nil, err
		}
		if len(each.value) == 0 {
			l.Complete = false
			continue
		}
		body := append([]byte(nil), each.value...)
		w, err := r.decoder.Decode("subscription/updated", body, l.AnsweredAt)
		if err != nil {
			return nil, fmt.Errorf("decode subscription %s: %w", each.key, err)
		}
		l.Subscriptions = append(l.Subscriptions, *w.Subscription)
		if !r.factsSince.IsZero() {
			records = append(records, r.resource(id, "subscription/updated", body))
		}
	}
	slices.Reverse(l.Subscriptions) // newest first
	read := len(l.Subscriptions)
	l, err := l.Fitting()
	r.Unreadable += read - len(l.Subscriptions)
	if err != nil {
		return nil, fmt.Errorf("encode customer %s: %w", id, err)
	}
	records[0], err = CustomerRecord(r.Topic, l)
	return records, err
}
