package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/console/service/mask"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// CustomerQuery selects customers of a store.
type CustomerQuery struct {
	Store string `json:"store" query:"store"`
	// Search finds the name, e-mail, number or Recharge id.
	Search string `json:"search" query:"search"`
	// Whole finds nobody by a part of these, nor by a name: searching for parts would undo the masks of who may not see them.
	Whole bool `json:"-"`
	Limit int  `json:"limit" query:"limit"`
}

// CustomerPage is the customers that were found, those that changed last first.
type CustomerPage struct {
	Customers []CustomerRow `json:"customers"`
}

// CustomerRow is a customer in a list. Name, e-mail and number are masked unless personal data is revealed.
type CustomerRow struct {
	Store string `json:"store"`
	ID    string `json:"recharge_customer_id"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
	// Active is whether a subscription is active; absent if that is not known.
	Active    *bool     `json:"subscription_active,omitempty"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
}

// Customer is a customer with what the console knows. Lists are newest first.
type Customer struct {
	CustomerRow

	// Known means that the customer is in recharge.customers.
	Known bool `json:"known"`
	// Consent is opted_in, opted_out, or one of the words below.
	Consent string `json:"consent"`
	// Zone is the customer's time zone, "" if unknown.
	Zone          string                   `json:"zone,omitempty"`
	Subscriptions []readmodel.Subscription `json:"subscriptions"`
	Charges       []readmodel.Charge       `json:"charges"`
	Events        []EventRow               `json:"events"`
	Texts         []TextRow                `json:"texts"`
	DeadLetters   []DeadLetter             `json:"dead_letters"`
}

// Words for the consent of a customer, in the place of a decision.
const (
	ConsentUnknown = "unknown"
	ConsentNotRead = "not_read" // the console does not know it yet
)

// TimelineQuery asks for the timeline of a customer, straight from the topics.
type TimelineQuery struct {
	Store  string    `json:"store"`
	ID     string    `json:"recharge_customer_id"`
	Since  time.Time `json:"since" query:"since"`
	Reveal bool      `json:"reveal" query:"reveal"` // for operators alone
}

// customerRows is how many rows of each list a customer's page has.
const customerRows = 50

// Customers returns the customers that a search finds, or those that changed last.
func (s *Service) Customers(ctx context.Context, query CustomerQuery) (CustomerPage, error) {
	if err := s.known(query.Store); err != nil {
		return CustomerPage{}, err
	}
	if err := checkPage(query.Limit); err != nil {
		return CustomerPage{}, err
	}
	find := s.findAny
	if query.Whole {
		find = s.findWhole
	}
	found, err := find(ctx, query.Store, strings.TrimSpace(query.Search), query.Limit)
	if err != nil {
		return CustomerPage{}, err
	}
	page := CustomerPage{Customers: make([]CustomerRow, 0, len(found))}
	for _, c := range found {
		page.Customers = append(page.Customers, customerRow(c, false))
	}
	return page, nil
}

func (s *Service) findAny(ctx context.Context, store, search string, limit int) ([]readmodel.Customer, error) {
	found, err := s.cfg.Model.Customers(ctx, store, search, limit)
	return found, ofModel("customers", err)
}

// maxAlike limits the customers of whom a part fits, among whom the whole is looked for.
const maxAlike = 1000

// findWhole returns the customers whose Recharge ID, whole e-mail or whole number a search is.
func (s *Service) findWhole(ctx context.Context, store, search string, limit int) ([]readmodel.Customer, error) {
	alike, err := s.findAny(ctx, store, search, maxAlike)
	if err != nil {
		return nil, err
	}
	region := ""
	if found, err := s.store(store); err == nil {
		region = found.Region
	}
	found := slices.DeleteFunc(alike, func(c readmodel.Customer) bool {
		found := c.ID == search || c.Email != "" && strings.EqualFold(c.Email, search) || sameNumber(c.Phone, search, region)
		return !found
	})
	return found[:min(len(found), cmp.Or(limit, defaultMembers))], nil
}

// sameNumber reports whether two texts are the same number, with or without the country code of a region.
func sameNumber(a, b, region string) bool {
	one, err := sms.Number(a, "", region)
	if err != nil {
		return false
	}
	other, err := sms.Number(b, "", region)
	return err == nil && one == other
}

// whole makes a filter select the texts of the customers whom its query names as a whole.
func (s *Service) whole(ctx context.Context, filter *readmodel.TextFilter) error {
	found, err := s.findWhole(ctx, filter.Store, filter.Query, maxAlike)
	if err != nil {
		return err
	}
	filter.Customers = []string{}
	for _, c := range found {
		filter.Customers = append(filter.Customers, c.ID)
	}
	if strings.Trim(filter.Query, "0123456789") == "" && !slices.Contains(filter.Customers, filter.Query) {
		filter.Customers = append(filter.Customers, filter.Query) // of a customer without a row
	}
	return nil
}

func customerRow(c readmodel.Customer, reveal bool) CustomerRow {
	row := CustomerRow{Store: c.Store, ID: c.ID, Name: strings.TrimSpace(c.FirstName + " " + c.LastName), Email: c.Email, Phone: c.Phone, Active: c.SubscriptionActive, UpdatedAt: c.UpdatedAt}
	if reveal {
		return row
	}
	row.Name, row.Email = mask.Name(row.Name), timeline.NewMasker(false).Email(row.Email)
	if row.Phone != "" {
		row.Phone = sms.Mask(row.Phone)
	}
	return row
}

// Customer returns a customer as the console knows them.
func (s *Service) Customer(ctx context.Context, store, id string, reveal bool) (Customer, error) {
	if err := s.known(store); err != nil {
		return Customer{}, err
	}
	found, err := s.cfg.Model.Customer(ctx, store, id, customerRows)
	if err != nil {
		return Customer{}, ofModel("customer "+id, err)
	}
	c := Customer{
		CustomerRow: customerRow(found.Customer, reveal), Known: found.Known, Consent: s.consentOf(store, found.Customer.Phone), Zone: s.zone(store, found.Customer.Phone),
		Subscriptions: found.Subscriptions, Charges: found.Charges, Events: []EventRow{}, Texts: textRows(found.Texts, reveal), DeadLetters: []DeadLetter{},
	}
	events := slices.Concat(found.Events, found.Facts)
	slices.SortStableFunc(events, func(a, b readmodel.Event) int { return b.At.Compare(a.At) })
	for _, e := range events {
		c.Events = append(c.Events, EventRow{At: e.At, Type: e.Type, Status: e.Status, Title: titleOf(e), Detail: detailOf(e), ID: e.ID, Fact: e.Fact})
	}
	for _, l := range found.DeadLetters {
		c.DeadLetters = append(c.DeadLetters, letterRow(l))
	}
	return c, nil
}

// consentOf returns what a number has decided. One without a country code is one of the store's region.
func (s *Service) consentOf(store, phone string) string {
	at := slices.IndexFunc(s.cfg.Stores, func(each Store) bool { return each.Name == store })
	if s.cfg.Consent == nil || at < 0 {
		return ConsentUnknown
	}
	number, err := sms.Number(phone, "", s.cfg.Stores[at].Region)
	if err != nil {
		return ConsentUnknown
	}
	if !s.knowsConsent() {
		return ConsentNotRead
	}
	return cmp.Or(string(s.cfg.Consent.Status(store, number)), ConsentUnknown)
}

// Timeline reads what happened to a customer from the topics.
func (s *Service) Timeline(ctx context.Context, query TimelineQuery) (timeline.Timeline, error) {
	at := slices.IndexFunc(s.cfg.Stores, func(each Store) bool { return each.Name == query.Store })
	if at < 0 {
		return timeline.Timeline{}, fmt.Errorf("%w: store %q", ErrNotFound, query.Store)
	}
	store := s.cfg.Stores[at]
	done, err := s.scan(ctx)
	if err != nil {
		return timeline.Timeline{}, err
	}
	defer done()
	source := timeline.Source{Cluster: s.cfg.Cluster, Topics: s.cfg.Topics, Partitions: s.cfg.Partitions}
	records, err := source.Read(ctx, timeline.Customer{Store: query.Store, ID: query.ID}, query.Since)
	switch {
	case errors.Is(err, timeline.ErrNoCustomer):
		return timeline.Timeline{}, fmt.Errorf("%w: customer %s", ErrNotFound, query.ID)
	case err != nil:
		return timeline.Timeline{}, unreached("read timeline", err)
	}
	found, err := timeline.Assemble(records, timeline.Options{Topics: s.cfg.Topics, Settings: store.Decides, Sinks: store.Sinks, Reveal: query.Reveal})
	if err != nil {
		return found, fmt.Errorf("assemble timeline: %w", err)
	}
	return found, nil
}
