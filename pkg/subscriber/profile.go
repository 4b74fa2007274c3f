package subscriber

import (
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// The names of the customer properties that a store can choose, besides the active property.
const (
	ProfileEmail               = "email"
	ProfileFirstName           = "first_name"
	ProfileLastName            = "last_name"
	ProfilePhone               = "phone"
	ProfileRechargeID          = "recharge_id"
	ProfileNextCharge          = "recharge_next_charge_at"
	ProfileSubscriptionsActive = "recharge_subscriptions_active"
)

// ProfileNames lists the names of the customer properties that a store can choose.
func ProfileNames() []string {
	return []string{
		ProfileEmail, ProfileFirstName, ProfileLastName, ProfilePhone, ProfileRechargeID, ProfileNextCharge, ProfileSubscriptionsActive,
	}
}

// Profile has the customer properties that a store has chosen. What is unknown is absent.
type Profile struct {
	Email      string `json:"email,omitempty"`
	FirstName  string `json:"first_name,omitempty"`
	LastName   string `json:"last_name,omitempty"`
	Phone      string `json:"phone,omitempty"` // as typed
	RechargeID string `json:"recharge_id,omitempty"`
	// NextChargeDate is that of the active subscription that is charged first.
	NextChargeDate recharge.Date `json:"next_charge_date,omitempty"`
	// SubscriptionsActive is the number of active subscriptions.
	SubscriptionsActive *int `json:"subscriptions_active,omitempty"`
}

func (p *Profile) append(w *jsonappend.Writer) {
	if p == nil {
		return
	}
	w.BeginMember("profile")
	w.OptString("email", p.Email)
	w.OptString("first_name", p.FirstName)
	w.OptString("last_name", p.LastName)
	w.OptString("phone", p.Phone)
	w.OptString("recharge_id", p.RechargeID)
	w.OptString("next_charge_date", string(p.NextChargeDate))
	if p.SubscriptionsActive != nil {
		w.Int("subscriptions_active", *p.SubscriptionsActive)
	}
	w.End()
}

// ProfileState is the last emitted profile: the hash of its values, its update_timestamp, and the id at the destination.
type ProfileState struct {
	Hash string    `json:"hash"`
	At   time.Time `json:"at"`
	To   string    `json:"to"`
}

// profile emits the customer properties that the store has chosen if one of them, or the customer's id at the destination, has changed.
func (d *draft) profile() {
	if len(d.settings.Profile) == 0 || d.customerID == "" || d.state.gone() || d.state.erased() {
		return
	}
	to := d.settings.DestinationID(d.customerID, d.state.Customer.Email)
	values := d.profileValues()
	if to == "" || *values == (Profile{}) {
		return
	}
	if last, hash := d.state.Customer.Profile, values.hash(); last == nil || last.To != to || last.Hash != hash {
		d.emitProfile(values, hash, to)
	}
}

func (d *draft) emitProfile(values *Profile, hash, to string) {
	last := d.state.Customer.Profile
	at := firstTime(d.state.knownLast(), d.receivedAt).Truncate(time.Microsecond)
	if last != nil && !at.After(last.At) {
		at = last.At.Add(time.Microsecond)
	}
	d.state.Customer.Profile = &ProfileState{Hash: hash, At: at, To: to}
	d.out.Events = append(d.out.Events, Event{
		ID:   factID(d.settings.Store, string(EventProfile), hash, instant(at), to),
		Type: EventProfile, OccurredAt: at, Profile: values,
		Store: d.settings.Store, RechargeCustomerID: d.customerID, Email: d.state.Customer.Email,
	})
}

func (p *Profile) hash() string {
	active := ""
	if p.SubscriptionsActive != nil {
		active = strconv.Itoa(*p.SubscriptionsActive)
	}
	return factID(p.Email, p.FirstName, p.LastName, p.Phone, p.RechargeID, string(p.NextChargeDate), active)[:16]
}

func (d *draft) profileValues() *Profile {
	k := d.state.Customer
	return Profile{
		Email: k.Email, FirstName: k.FirstName, LastName: k.LastName, Phone: k.Phone, RechargeID: d.customerID,
		NextChargeDate: d.state.nextCharge(), SubscriptionsActive: d.state.countActive(),
	}.Only(d.settings.Profile)
}

// Only returns a profile that has the properties with these names alone.
func (p Profile) Only(names []string) *Profile {
	only := &Profile{}
	for _, name := range names {
		switch name {
		case ProfileEmail:
			only.Email = p.Email
		case ProfileFirstName:
			only.FirstName = p.FirstName
		case ProfileLastName:
			only.LastName = p.LastName
		case ProfilePhone:
			only.Phone = p.Phone
		case ProfileRechargeID:
			only.RechargeID = p.RechargeID
		case ProfileNextCharge:
			only.NextChargeDate = p.NextChargeDate
		case ProfileSubscriptionsActive:
			only.SubscriptionsActive = p.SubscriptionsActive
		}
	}
	return only
}

// nextCharge returns the first day on which an active subscription is charged, "" if none is known.
func (st *State) nextCharge() (next recharge.Date) {
	for _, s := range st.Subscriptions {
		if s.Status == statusActive && s.NextChargeDate != "" && (next == "" || s.NextChargeDate < next) {
			next = s.NextChargeDate
		}
	}
	return next
}

// countActive returns the number of active subscriptions: that of a customer object newer than all known subscriptions, else of those, if
// all are known or as many as were counted; nil if it is unknown.
func (st *State) countActive() *int {
	count := st.Customer.Count
	newest, _ := st.newestSnapshot()
	if count != nil && count.At.After(newest) {
		return &count.Active
	}
	n, exist := 0, 0
	for _, s := range st.Subscriptions {
		if s.exists() {
			exist++
		}
		if s.Status == statusActive {
			n++
		}
	}
	if st.Customer.CompleteAt.IsZero() && (count == nil || exist < count.Total) {
		return nil
	}
	return &n
}
