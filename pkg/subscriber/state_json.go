package subscriber

import (
	"maps"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
)

// IsEmpty reports whether nothing is known of a customer.
func (st *State) IsEmpty() bool {
	return len(st.Emitted) == 0 && len(st.Subscriptions) == 0 && st.Customer.IsZero()
}

// Equal reports whether two states are stored alike. The facts of a month only become more.
func (st *State) Equal(other *State) bool {
	return st.Customer.Equal(&other.Customer) &&
		maps.EqualFunc(st.Emitted, other.Emitted, func(a, b ShortIDs) bool { return len(a) == len(b) }) &&
		maps.EqualFunc(st.Subscriptions, other.Subscriptions, func(a, b SubscriptionState) bool { return a.Equal(&b) })
}

// AppendJSON appends the state as JSON. It begins with the facts of the oldest month.
func (st *State) AppendJSON(b []byte) ([]byte, error) {
	w := jsonappend.To(b)
	w.Begin()
	st.Emitted.append(w)
	if !st.Customer.IsZero() {
		w.BeginMember("customer")
		st.Customer.appendMembers(w)
		w.End()
	}
	if len(st.Subscriptions) > 0 {
		w.BeginMember("subscriptions")
		for _, id := range st.SubscriptionIDs() {
			s := st.Subscriptions[id]
			w.BeginMember(jsonappend.Name(id))
			s.appendState(w)
			w.End()
		}
		w.End()
	}
	w.End()
	return w.Bytes()
}

func (e Emitted) append(w *jsonappend.Writer) {
	if len(e) == 0 {
		return
	}
	w.BeginMember("emitted")
	for _, month := range slices.Sorted(maps.Keys(e)) {
		w.Binary(jsonappend.Name(month), e[month].Append(make([]byte, 0, 8*len(e[month]))))
	}
	w.End()
}

// AppendJSON appends the state of a customer as JSON.
func (k *CustomerState) AppendJSON(b []byte) ([]byte, error) {
	w := jsonappend.To(b)
	w.Begin()
	k.appendMembers(w)
	w.End()
	return w.Bytes()
}

func (k *CustomerState) appendMembers(w *jsonappend.Writer) {
	w.OptBool("seen", k.Seen)
	w.OptTime("first_at", k.FirstAt)
	w.OptString("email", k.Email)
	w.OptString("first_name", k.FirstName)
	w.OptString("last_name", k.LastName)
	w.OptString("phone", k.Phone)
	w.OptBool("phone_known", k.PhoneKnown)
	w.OptString("platform_id", k.PlatformID)
	w.OptString("hash", k.Hash)
	w.OptString("country", k.Country)
	w.OptString("province", k.Province)
	w.OptString("zip", k.Zip)
	w.OptTime("address_at", k.AddressAt)
	w.OptBool("address_seen", k.AddressSeen)
	w.OptTime("created_at", k.CreatedAt)
	w.OptTime("updated_at", k.UpdatedAt)
	jsonappend.OptTimes(w, "older", k.Older)
	w.OptTime("mentioned_at", k.MentionedAt)
	k.Count.append(w)
	w.OptTime("complete_at", k.CompleteAt)
	k.ActiveProperty.append(w)
	if p := k.Profile; p != nil {
		w.BeginMember("profile")
		w.String("hash", p.Hash)
		w.Time("at", p.At)
		w.String("to", p.To)
		w.End()
	}
	w.OptBool("activated", k.Activated)
	jsonappend.OptTimes(w, "failed_charges", k.FailedCharges)
	k.appendFailures(w)
	k.appendCharges(w)
	w.OptTime("charges_expired_to", k.ChargesExpiredTo)
	w.OptInt("orders", k.Orders)
	w.OptTime("erased_at", k.ErasedAt)
	w.OptTime("deleted_at", k.DeletedAt)
}

func (c *Count) append(w *jsonappend.Writer) {
	if c == nil {
		return
	}
	w.BeginMember("count")
	w.Int("active", c.Active)
	w.Int("total", c.Total)
	w.Time("at", c.At)
	w.End()
}

func (p *ActiveProperty) append(w *jsonappend.Writer) {
	if p == nil {
		return
	}
	w.BeginMember("active_property")
	w.Bool("value", p.Value)
	w.Time("at", p.At)
	w.String("to", p.To)
	w.End()
}

func (k *CustomerState) appendFailures(w *jsonappend.Writer) {
	if len(k.Failures) == 0 {
		return
	}
	w.BeginMember("failures")
	for _, charge := range slices.Sorted(maps.Keys(k.Failures)) {
		f := k.Failures[charge]
		w.BeginMember(jsonappend.Name(charge))
		w.OptTime("at", f.At)
		w.OptString("error_type", f.ErrorType)
		w.String("month", f.Month)
		w.End()
	}
	w.End()
}

func (k *CustomerState) appendCharges(w *jsonappend.Writer) {
	if len(k.Charges) == 0 {
		return
	}
	w.BeginMember("charges")
	for _, id := range slices.Sorted(maps.Keys(k.Charges)) {
		c := k.Charges[id]
		w.BeginMember(jsonappend.Name(id))
		w.OptTime("at", c.At)
		w.OptInt("rank", c.Rank)
		w.OptString("hash", c.Hash)
		w.OptString("row", c.Row)
		w.OptString("scheduled_date", string(c.ScheduledDate))
		w.OptString("total_refunds", c.TotalRefunds)
		w.OptString("order_number", c.OrderNumber)
		w.OptInt("nth_order", c.NthOrder)
		w.OptBool("closed", c.Closed)
		w.OptBool("paid", c.Paid)
		w.OptBool("counted", c.Counted)
		w.OptBool("owned", c.Owned)
		w.End()
	}
	w.End()
}

// AppendJSON appends the state of a subscription as JSON.
func (s *SubscriptionState) AppendJSON(b []byte) ([]byte, error) {
	w := jsonappend.To(b)
	w.Begin()
	s.appendState(w)
	w.End()
	return w.Bytes()
}

func (s *SubscriptionState) appendState(w *jsonappend.Writer) {
	s.appendMembers(w)
	w.String("status", s.Status)
	w.OptTime("at", s.UpdatedAt)
	w.OptInt("rank", s.Rank)
	w.OptString("hash", s.Hash)
	jsonappend.OptTimes(w, "last", s.Last)
	w.OptTime("owner_sent_at", s.OwnerSentAt)
	if h := s.Held; h != nil {
		w.BeginMember("held")
		w.Time("at", h.At)
		w.OptBool("active", h.Active)
		w.OptTime("received_at", h.ReceivedAt)
		w.End()
	}
}

// AppendJSON appends the owner of a subscription as JSON.
func (o *OwnerState) AppendJSON(b []byte) ([]byte, error) {
	w := jsonappend.To(b)
	w.Begin()
	w.String("customer_id", o.CustomerID)
	w.Time("at", o.At)
	w.Time("received_at", o.ReceivedAt)
	w.End()
	return w.Bytes()
}
