package expected

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/test/histories"
)

// charge is the newest snapshot of a charge.
type charge struct {
	histories.Charge

	rank    int
	hash    string // of topic and body
	owned   bool   // it was not paid when it was seen
	deleted bool
}

// applyCharge keeps the snapshot with the newer updated_at, then the one that is further on, then the one with the greater hash.
func (s *state) applyCharge(d histories.Delivery) {
	next := &charge{Charge: *d.Charge, rank: map[string]int{"success": 4, "error": 3}[d.Charge.Status], hash: hash(d)}
	if before := s.charges[d.ID]; before != nil {
		next.owned = before.owned
		if before.deleted || !next.newerThan(before) {
			return
		}
	}
	next.owned = next.owned || next.Status != "success"
	if s.deletions[d.ID] && next.owned { // its deletion came before
		next.deleted = true
	}
	s.charges[d.ID] = next
}

func (c *charge) newerThan(other *charge) bool {
	switch {
	case !c.Updated.Equal(other.Updated):
		return c.Updated.After(other.Updated)
	case c.rank != other.rank:
		return c.rank > other.rank
	}
	return c.hash > other.hash
}

// deleteCharge applies a deletion. The customer hears of it if the charge was seen before it was paid.
func (s *state) deleteCharge(id string) {
	s.deletions[id] = true
	if c := s.charges[id]; c != nil && c.owned {
		c.deleted = true
	}
}

// hash is the hash of a delivery, as the gateway writes it into a header.
func hash(d histories.Delivery) string {
	sum := sha256.Sum256(append([]byte(d.Topic+"\n"), d.Body()...))
	return hex.EncodeToString(sum[:])[:16]
}

// row returns the row of recharge.charges.
func (c *charge) row(of histories.Customer, id string) string {
	cents, products := 0, []string{}
	for _, item := range c.Items {
		cents += 1200 + 50*item
		products = append(products, of.SubscriptionID(item))
	}
	if cents > 0 {
		cents += 490
	}
	processed := ""
	if !c.Processed.IsZero() {
		processed = Stamp(c.Processed)
	}
	return written(
		"recharge_customer_id", of.ID(), "id", id, "status", c.Status, "source_status", c.Status, "type", c.Kind, "currency", "USD",
		"total_price", fmt.Sprintf("%d.%02d", cents/100, cents%100), "scheduled_date", string(c.Due), "error_type", c.Failure,
		"created_at", Stamp(c.Created), "processed_at", processed, "items", strings.Join(products, " "))
}

// comparedOfACharge are the fields of a row that are compared, besides items.
func comparedOfACharge() []string {
	return []string{
		"recharge_customer_id", "id", "status", "source_status", "type", "currency", "total_price", "scheduled_date", "error_type", "created_at", "processed_at",
	}
}

// factsOf are the facts of a webhook that recharge.facts has, except for changes.
func factsOf(d histories.Delivery) []fact {
	c := d.Charge
	switch d.Topic {
	case "charge/upcoming":
		return []fact{{name: "fact upcoming", id: d.ID, mark: string(c.Due), at: c.Updated}}
	case "charge/failed": // without a retry date
		return []fact{
			{name: "fact failed", id: d.ID, mark: Stamp(c.Updated), at: c.Updated}, {name: "fact gave_up", id: d.ID, at: c.Updated},
		}
	case "charge/max_retries_reached":
		return []fact{{name: "fact gave_up", id: d.ID, at: c.Updated}}
	case "order/processed":
		return []fact{{name: "fact order_processed", id: d.ID, at: d.Order.Processed}}
	}
	return nil
}

// changes are the facts that a webhook of a subscription changed something, compared with the snapshot before.
func (s *state) changes(d histories.Delivery) (found []fact) {
	shown := d.Subscription
	if shown == nil || d.Topic == "subscription/created" || d.Topic == "subscription/deleted" {
		return nil
	}
	before := s.snapshots[d.ID]
	newer := before.isOlderThan(shown)
	if newer && before.Product != shown.Product || s.reportsSwap(d) {
		found = append(found, s.swap(d))
	}
	if newer && before.isMovedBy(shown) {
		found = append(found, fact{name: "fact changed", id: d.ID, mark: Stamp(shown.Updated), at: shown.Updated})
	}
	return found
}

// isOlderThan reports whether there is a snapshot, and another one is newer.
func (s *snapshot) isOlderThan(shown *histories.Subscription) bool {
	return s != nil && s.deleted.IsZero() && shown.Updated.After(s.Updated)
}

// reportsSwap reports whether a webhook says that the product was swapped, which none before it has shown.
func (s *state) reportsSwap(d histories.Delivery) bool {
	return d.Topic == "subscription/swapped" && d.Subscription.Updated.After(s.swapped[d.ID].Add(time.Minute))
}

// swap is the fact that the product was swapped.
func (s *state) swap(d histories.Delivery) fact {
	at := d.Subscription.Updated
	if at.After(s.swapped[d.ID]) && !s.erased {
		s.swapped[d.ID] = at
	}
	return fact{name: "fact swapped", id: d.ID, mark: Stamp(at), at: at}
}

// isMovedBy reports whether the next charge was moved, and not to the next interval because it was paid.
func (s *snapshot) isMovedBy(shown *histories.Subscription) bool {
	return s.Due != "" && shown.Due != "" && s.Due != shown.Due && s.Due.Start().After(shown.Updated)
}
