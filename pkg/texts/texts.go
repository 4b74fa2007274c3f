package texts

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Store is how one store sends its texts.
type Store struct {
	Shop flow.Shop
	// Flow returns a flow as it is set now, the zero Flow for an unknown one. Sending returns how all flows are sent now.
	Flow          func(flow.Key) flow.Flow
	Sending       func() sending.Settings
	Help          string // the text of flow.Help; "": replies are not answered
	From          string
	DefaultRegion string // ISO 3166 code, for numbers without a country
	// Zones finds when quiet hours end.
	Zones *quiethours.Finder
	// MayText reports whether a number in E.164 may be texted, and why not: see consent.Table. "" is a customer without a number.
	MayText func(number string) (reason.Reason, bool)
	// MayClaim reports whether MayText knows the decisions of all numbers now. Without it no text is claimed; nil is always.
	MayClaim func() bool
	// Destination is what the destination does itself.
	Destination Destination
	Lease       time.Duration // of a claim, see sender.Lease
	// CallWithin is the longest time from the claim of a text to its call: quiet hours must not begin within it.
	CallWithin time.Duration
	// LinksTTL is how long the short links of a text lead somewhere, if Shop.LinksURL is set. Code draws their codes.
	LinksTTL time.Duration
	Code     func() links.Code
	// Window shortens the windows of all flows, for trials; 0 leaves them.
	Window time.Duration
}

// flow returns a flow as it is set now, or flow.Help.
func (s *Store) flow(key flow.Key) flow.Flow {
	if key == flow.Help {
		return flow.Flow{Key: key, Text: s.Help, Active: s.Help != "", DailyCap: true}
	}
	return s.Flow(key)
}

// FlowNow returns a flow as it is set now, with the window of this process.
func (s *Store) FlowNow(key flow.Key) flow.Flow {
	f := s.flow(key)
	if s.Window > 0 {
		f.Window = min(s.Window, f.Window)
	}
	return f
}

// History is what a customer was sent: see message.Book.
type History interface {
	CountSince(store, customer string, since time.Time) (int, error)
	CountOfCharge(store, customer, charge string, key flow.Key) (int, error)
	OptOutDue(store, customer string) (bool, error)
}

// askAgain is the wait while the consent of numbers is not known yet.
const askAgain = time.Second

const day = 24 * time.Hour

// ErrNotRendered means that a text can't be made from its template. The error has no values of the customer.
var ErrNotRendered = errors.New("text does not render")

// Decide decides on a text that is due now, and renders it, or returns what the destination needs to render it. An error that is not
// ErrNotRendered comes from the history; with ErrNotRendered the text is suppressed.
func (s *Store) Decide(m *message.Message, now time.Time, had History) (sms.Message, message.Decision, error) {
	live := m.Live(now)
	to := live[len(live)-1].Recipient
	number, err := sms.Number(to.Phone, cmp.Or(to.PhoneCountry, to.Country), s.DefaultRegion)
	if why := s.suppressed(m, to, err); why != "" {
		return sms.Message{}, message.Decision{Suppress: why}, nil
	}
	switch why, may := s.MayText(number); {
	case why == reason.ConsentUnknown:
		return sms.Message{}, message.Decision{Defer: now.Add(askAgain)}, nil
	case !may && (m.Flow != flow.Help || why == reason.OptedOut):
		return sms.Message{}, message.Decision{Suppress: why}, nil
	}
	recipient := quiethours.Recipient{Country: to.Country, Province: to.Province, Number: number}
	if at := s.release(m.Flow, recipient, now); at.After(now) {
		return sms.Message{}, message.Decision{Defer: at}, nil
	}
	if capped, err := s.capped(m, now, had); capped || err != nil { // by the texts at the time when this one would be sent
		return sms.Message{}, message.Decision{Suppress: reason.Capped}, err
	}
	text := sms.Message{
		SendKey: m.ID, To: number, From: s.From, Store: m.Store, Flow: string(m.Flow), CustomerID: m.CustomerID, Email: to.Email, Cause: m.Cause,
		Items: m.Items(now), ValidFor: s.validFor(m.Flow, recipient, now), Secrets: []string{to.PortalHash, url.PathEscape(to.PortalHash)},
	}
	if s.Destination.Renders {
		text.Values = s.values(live, number)
		return text, message.Decision{}, nil
	}
	decision, err := s.render(&text, m, now, had)
	return text, decision, err
}

// render renders the body of a text, with short links.
func (s *Store) render(text *sms.Message, m *message.Message, now time.Time, had History) (message.Decision, error) {
	due, err := had.OptOutDue(m.Store, m.CustomerID)
	if err != nil {
		return message.Decision{}, err
	}
	values := subscriber.Variables(m.Live(now), s.Shop)
	values.OptOut = due && m.Flow != flow.Help && flow.Normalize(s.Shop.OptOut) != ""
	f := s.flow(m.Flow) // read once: the text and its masked form are of one version
	body, short, err := flow.RenderShort(f, values, s.Code)
	if err != nil {
		return message.Decision{Suppress: reason.TextNotRendered}, fmt.Errorf("%w: %w", ErrNotRendered, err)
	}
	text.Body = body
	shown := maskedBody(f, values, short)
	decision := message.Decision{OptOut: values.OptOut}
	for _, each := range short {
		decision.Links = append(decision.Links, message.NewLink(each))
		decision.LinksEnd = now.Add(s.LinksTTL)
		if text.Masked(each.Target) != each.Target { // who has the code is led to the customer's account
			text.Secrets = append(text.Secrets, string(each.Code))
		}
	}
	text.Shown = text.Masked(shown)
	return decision, nil
}

// maskedBody renders a text without personal data, with the short links that it has.
func maskedBody(f flow.Flow, values flow.Variables, short []links.Short) string {
	next := 0
	body, again, err := flow.RenderShort(f, values.Masked(), func() links.Code {
		if next++; next > len(short) {
			return ""
		}
		return short[next-1].Code
	})
	if err != nil || len(again) != len(short) {
		return notShown
	}
	return body
}

// notShown stands for a text that can't be rendered without personal data.
const notShown = "***"

// suppressed returns why a text is not sent whatever the hour; phone is the error of its number.
func (s *Store) suppressed(m *message.Message, to subscriber.Recipient, phone error) reason.Reason {
	switch {
	case !s.flow(m.Flow).Active:
		return reason.FlowInactive
	case phone == nil, s.Destination.FindsNumbers && to.Email != "":
		return ""
	case errors.Is(phone, sms.ErrNoNumber):
		return reason.NoPhone
	case errors.Is(phone, sms.ErrCountryUnknown):
		return reason.CountryUnknown
	}
	return reason.PhoneInvalid
}

// helpPerDay is how often a number is answered in a day: a program may answer our answer.
const helpPerDay = 3

// capped reports whether the customer has had the texts of a day, or those about a charge.
func (s *Store) capped(m *message.Message, now time.Time, had History) (bool, error) {
	f := s.flow(m.Flow)
	if charge := m.Charge(); f.PerCharge > 0 && charge != "" {
		if texts, err := had.CountOfCharge(m.Store, m.CustomerID, charge, m.Flow); err != nil || texts >= f.PerCharge {
			return true, err
		}
	}
	perDay := s.Sending().TextsPerDay
	if m.Flow == flow.Help {
		perDay = helpPerDay
	}
	if perDay == 0 || !f.DailyCap {
		return false, nil
	}
	texts, err := had.CountSince(m.Store, m.CustomerID, now.Add(-day))
	return texts >= perDay, err
}

// release returns when a text may be sent.
func (s *Store) release(key flow.Key, to quiethours.Recipient, now time.Time) time.Time {
	quiet := s.Sending().QuietHours
	if key == flow.Help || s.Destination.KeepsQuietHours || !quiet.AllFlows && !s.flow(key).QuietHours {
		return now
	}
	for _, call := range []time.Time{now, now.Add(s.CallWithin)} {
		if at := s.Zones.Find(quiet.Hours, to, call).At; at.After(call) {
			return at
		}
	}
	return now
}

// validFor returns how long a text may wait at the provider: less before quiet hours.
func (s *Store) validFor(key flow.Key, to quiethours.Recipient, now time.Time) time.Duration {
	for _, wait := range []time.Duration{4 * time.Hour, 2 * time.Hour, time.Hour, 30 * time.Minute, 10 * time.Minute, 3 * time.Minute, time.Minute} {
		if at := now.Add(wait); !s.release(key, to, at).After(at) {
			return wait
		}
	}
	return s.CallWithin
}

// Public is a claimed text, or its values, without its number and secrets.
func Public(m *message.Message, text sms.Message, at time.Time) message.Text {
	row := message.Text{
		ID: m.ID, Store: m.Store, RechargeCustomerID: m.CustomerID, Flow: m.Flow, ClaimedAt: at, To: sms.Mask(text.To), From: text.From,
	}
	if text.Values != nil {
		row.Variables = text.MaskedVariables()
		return row
	}
	row.Text, row.Masked = text.Masked(text.Body), text.Shown
	_, row.Segments = flow.Segments(text.Body)
	return row
}
