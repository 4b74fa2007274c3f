package subscriber

import (
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// ChargeRow is a row of the public table recharge.charges.
type ChargeRow struct {
	Store              string `json:"store"`
	RechargeCustomerID string `json:"recharge_customer_id"`
	Charge
	// Status is as Recharge spells it: queued, skipped, error, success, refunded, partially_refunded; others may come.
	Status string `json:"status"`
}

// AppendJSON appends the row as JSON.
func (r *ChargeRow) AppendJSON(b []byte) ([]byte, error) {
	w := jsonappend.To(b)
	w.Begin()
	w.String("store", r.Store)
	w.String("recharge_customer_id", r.RechargeCustomerID)
	r.appendMembers(w)
	w.String("status", r.Status)
	w.End()
	return w.Bytes()
}

// ChargeState is what is stored of a charge: which snapshot is the newest, and what its row was.
type ChargeState struct {
	At            time.Time     `json:"at,omitzero"`
	Rank          int           `json:"rank,omitempty"`
	Hash          string        `json:"hash,omitempty"` // of the body
	Row           string        `json:"row,omitempty"`  // the hash of the row, without its time stamp; "" for none
	ScheduledDate recharge.Date `json:"scheduled_date,omitempty"`
	TotalRefunds  string        `json:"total_refunds,omitempty"`
	OrderNumber   string        `json:"order_number,omitempty"`
	NthOrder      int           `json:"nth_order,omitempty"`
	// Closed means that the charge was paid or deleted, or will not be tried again.
	Closed bool `json:"closed,omitempty"`
	// Paid means that a backfill has shown it paid.
	Paid bool `json:"paid,omitempty"`
	// Counted means that it is among CustomerState.Orders.
	Counted bool `json:"counted,omitempty"`
	// Owned means that an owner record was published.
	Owned bool `json:"owned,omitempty"`
}

// How long a charge is stored. Later snapshots of an open one come until it is paid; of a closed one it is refunds that change the row.
const (
	closedChargeTTL = 180 * 24 * time.Hour
	openChargeTTL   = recordTTL
	// maxCharges is the number of charges that are stored. Most customers have two or three that are not expired.
	maxCharges = 1000
)

// rankDeletedCharge is above that of any snapshot: a deletion is final.
const rankDeletedCharge = 9

// rankOfCharge orders snapshots with the same time by their status.
func rankOfCharge(status string) int {
	switch status {
	case "refunded":
		return 6
	case "partially_refunded":
		return 5
	case "success":
		return 4
	case "error":
		return 3
	case "skipped":
		return 2
	}
	return 1
}

func (c ChargeState) newerThan(other ChargeState) bool {
	switch deleted := c.Rank == rankDeletedCharge; {
	case deleted || other.Rank == rankDeletedCharge:
		return deleted
	case !c.At.Equal(other.At):
		return c.At.After(other.At)
	case c.Rank != other.Rank:
		return c.Rank > other.Rank
	}
	return c.Hash > other.Hash
}

// chargeTable applies the webhook's charge, or the number of its order, to the table of charges.
func (d *draft) chargeTable() {
	switch w := d.webhook; {
	case d.state.gone() || d.customerID == "":
	case w.Topic == "charge/deleted":
		d.chargeDeleted(w.Charge.ID)
	case w.Charge != nil:
		d.chargeSnapshot(w.Charge)
	case w.Order != nil && w.Order.ChargeID != "" && w.Order.Number != "":
		known := d.state.Customer.Charges[w.Order.ChargeID]
		known.OrderNumber = w.Order.Number
		d.setCharge(w.Order.ChargeID, known)
	}
}

// chargeSnapshot writes the row of a charge, unless a newer snapshot is known, or one that is expired may have been newer.
func (d *draft) chargeSnapshot(c *recharge.Charge) {
	known := d.state.Customer.Charges[c.ID]
	next := known
	next.At = firstTime(c.UpdatedAt, c.ProcessedAt, c.CreatedAt, d.receivedAt)
	next.Rank, next.Hash = rankOfCharge(c.Status), d.webhook.Hash[:min(len(d.webhook.Hash), 16)]
	next.ScheduledDate, next.TotalRefunds, next.Closed = c.ScheduledDate, c.TotalRefunds, isClosed(c)
	switch {
	case known.Rank == 0 && !next.At.After(d.state.Customer.ChargesExpiredTo):
		return
	case known.Rank != 0 && !next.newerThan(known):
		return
	}
	row := &ChargeRow{Store: d.settings.Store, RechargeCustomerID: d.customerID, Charge: *chargeOf(c), Status: c.Status}
	row.OrderNumber, row.NthOrder = known.OrderNumber, known.NthOrder
	if next.Row = row.hash(); next.Row != known.Row {
		d.out.Charges = append(d.out.Charges, TableRow{ChargeID: c.ID, Value: row})
	}
	if !next.Closed && !next.Owned {
		next.Owned = true
		d.out.ChargeOwners = append(d.out.ChargeOwners, ChargeOwner{Store: d.settings.Store, ChargeID: c.ID, CustomerID: d.customerID, At: next.At})
	}
	d.setCharge(c.ID, next)
}

// countOrder counts a charge that was paid, with the first webhook that shows it.
func (d *draft) countOrder() {
	c, k := d.webhook.Charge, &d.state.Customer
	if c == nil || !isClosed(c) || d.state.gone() || d.customerID == "" {
		return
	}
	known := k.Charges[c.ID]
	if known.Counted || d.state.Emitted.has(paidFact(d.settings.Store, c.ID)) {
		return
	}
	k.Orders++
	known.Counted = true
	if k.Seen && k.FirstAt.IsZero() && d.webhook.Backfill == nil { // nothing came before customer/created, and it came in order
		known.NthOrder = k.Orders
	}
	d.setCharge(c.ID, known)
}

// isClosed reports whether a charge is paid. One that failed may be tried again, one that is queued or skipped may be deleted.
func isClosed(c *recharge.Charge) bool { return rankOfCharge(c.Status) >= rankOfCharge("success") }

// hash returns the hash of the row without its time stamp.
func (r *ChargeRow) hash() string {
	row := *r
	row.UpdatedAt = time.Time{}
	value, err := row.AppendJSON(nil)
	if err != nil {
		return "" // the row can't be written either
	}
	sum := fnv.New64a()
	_, _ = sum.Write(value)
	return strconv.FormatUint(sum.Sum64(), 36)
}

// setCharge stores a charge, and removes those that are expired.
func (d *draft) setCharge(id string, c ChargeState) {
	k := &d.state.Customer
	charges := maps.Clone(k.Charges)
	if charges == nil {
		charges = make(map[string]ChargeState)
	}
	if c.Rank == 0 { // a number without its charge, which comes later or has expired
		c.At = d.receivedAt
	}
	charges[id] = c
	for id, c := range charges {
		if c.expired(d.receivedAt) {
			if c.Rank != 0 {
				k.ChargesExpiredTo = later(k.ChargesExpiredTo, c.At)
			}
			delete(charges, id)
		}
	}
	for len(charges) > maxCharges {
		delete(charges, oldestCharge(charges))
	}
	k.Charges = charges
}

func (c ChargeState) expired(at time.Time) bool {
	ttl := openChargeTTL
	if c.Closed || c.Rank == 0 {
		ttl = closedChargeTTL
	}
	return !at.Before(c.At.Add(ttl))
}

func oldestCharge(charges map[string]ChargeState) (oldest string) {
	for id, c := range charges {
		o := charges[oldest]
		if oldest == "" || c.At.Before(o.At) || c.At.Equal(o.At) && id < oldest {
			oldest = id
		}
	}
	return oldest
}

// closeCharges removes the rows of a deleted customer's charges that were not paid yet. Those that were stay: they are the shop's
// revenue, without personal data.
func (d *draft) closeCharges() {
	for _, id := range slices.Sorted(maps.Keys(d.state.Customer.Charges)) {
		if c := d.state.Customer.Charges[id]; !c.Closed && c.Row != "" {
			d.out.Charges = append(d.out.Charges, TableRow{ChargeID: id})
		}
	}
}
