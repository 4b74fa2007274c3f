package service

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/console/service/mask"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
)

// TextQuery selects texts; empty fields select all. Those that reached their status last come first.
type TextQuery struct {
	Store string `json:"store" query:"store"`
	// Search finds words of the text, the customer's name, e-mail, number or Recharge id.
	Search string `json:"search" query:"search"`
	// Whole finds a customer only by the whole e-mail, number or Recharge id, and no words: see CustomerQuery.
	Whole      bool     `json:"-"`
	CustomerID string   `json:"customer" query:"customer"`
	Flow       flow.Key `json:"flow" query:"flow"`
	Status     string   `json:"status" query:"status"`
	// Since and Until select by when a text reached its status.
	Since time.Time `json:"since" query:"since"`
	Until time.Time `json:"until" query:"until"`
	// Cursor is the Next of the page before.
	Cursor string `json:"cursor" query:"cursor"`
	Limit  int    `json:"limit" query:"limit"`
}

// TextPage is a page of texts.
type TextPage struct {
	Texts []TextRow `json:"texts"`
	Next  string    `json:"next,omitempty"` // "" for the last page
}

// TextRow is a text in a list.
type TextRow struct {
	ID         string    `json:"id"`
	Store      string    `json:"store"`
	CustomerID string    `json:"recharge_customer_id"`
	Flow       flow.Key  `json:"flow"`
	FlowName   string    `json:"flow_name"`
	Status     string    `json:"status"`
	At         time.Time `json:"at"`         // since when it has its status, by which lists are sorted
	ChangedAt  time.Time `json:"changed_at"` // of the last change, such as a click
	Reason     string    `json:"reason,omitempty"`
	Why        string    `json:"why,omitempty"` // the reason in plain words
	To         string    `json:"to,omitempty"`  // masked
	// Text has names masked, and not what the customer has written, unless personal data is revealed.
	Text      string    `json:"text,omitempty"`
	Segments  int       `json:"segments,omitempty"`
	ReleaseAt time.Time `json:"release_at,omitzero"` // of a planned one
	ClickedAt time.Time `json:"clicked_at,omitzero"`
}

// Text is one text and its life.
type Text struct {
	TextRow

	From string `json:"from,omitempty"`
	// Variables are masked like the text.
	Variables  map[string]string `json:"variables,omitempty"`
	ProviderID string            `json:"provider_id,omitempty"`
	Code       string            `json:"code,omitempty"`
	Error      string            `json:"error,omitempty"` // masked words of the provider
	Attempt    int               `json:"attempt,omitempty"`
	// Zone is the customer's time zone, if the address or the number yields one.
	Zone     string        `json:"zone,omitempty"`
	Triggers []TextTrigger `json:"triggers"`
	Life     []TextChange  `json:"life"`
}

// TextTrigger is what a text is about.
type TextTrigger struct {
	ID         string    `json:"id"`
	Flow       flow.Key  `json:"flow"`
	OccurredAt time.Time `json:"occurred_at"`
	Items      []string  `json:"items"`
	Revoked    bool      `json:"revoked,omitempty"`
	Late       bool      `json:"late,omitempty"`
}

// TextChange is one change of a text.
type TextChange struct {
	At        time.Time `json:"at"`
	Status    string    `json:"status"`
	Why       string    `json:"why,omitempty"`
	Code      string    `json:"code,omitempty"`
	Error     string    `json:"error,omitempty"`
	Attempt   int       `json:"attempt,omitempty"`
	ReleaseAt time.Time `json:"release_at,omitzero"`
}

// maxPage is the largest page of a list.
const maxPage = 200

// checkPage returns an error for a page that is too large.
func checkPage(limit int) error {
	if limit < 0 || limit > maxPage {
		return invalid("limit", "is %d, must be from 1 to %d", limit, maxPage)
	}
	return nil
}

// Texts returns texts, those that reached their status last first.
func (s *Service) Texts(ctx context.Context, query TextQuery) (TextPage, error) {
	if err := s.known(query.Store); err != nil {
		return TextPage{}, err
	}
	if err := checkPage(query.Limit); err != nil {
		return TextPage{}, err
	}
	filter := readmodel.TextFilter{
		Store: query.Store, Query: strings.TrimSpace(query.Search), Customer: query.CustomerID, Flow: query.Flow, Status: message.Status(query.Status),
		Since: query.Since, Until: query.Until, After: query.Cursor, Limit: query.Limit,
	}
	if query.Whole && filter.Query != "" {
		if err := s.whole(ctx, &filter); err != nil {
			return TextPage{}, err
		}
	}
	found, err := s.cfg.Model.Texts(ctx, filter)
	if err != nil {
		return TextPage{}, ofModel("texts", err)
	}
	return TextPage{Texts: textRows(found.Rows, false), Next: found.Next}, nil
}

// Unknown returns the texts of unknown outcome, at most one page.
func (s *Service) Unknown(ctx context.Context, store string) (TextPage, error) {
	return s.Texts(ctx, TextQuery{Store: store, Status: string(message.Unknown), Limit: maxPage})
}

// CountUnknown counts the texts of unknown outcome.
func (s *Service) CountUnknown(ctx context.Context, store string) (int, error) {
	if err := s.known(store); err != nil {
		return 0, err
	}
	found, err := s.cfg.Model.Overview(ctx, store, s.cfg.Now())
	return int(found.Unknown), ofModel("texts", err)
}

func textRows(found []readmodel.Text, reveal bool) []TextRow {
	rows := make([]TextRow, 0, len(found))
	for _, t := range found {
		rows = append(rows, textRow(t, reveal))
	}
	return rows
}

func textRow(t readmodel.Text, reveal bool) TextRow {
	row := TextRow{
		ID: t.ID, Store: t.Store, CustomerID: t.Customer, Flow: t.Flow, FlowName: strings.ReplaceAll(string(t.Flow), "_", " "), Status: string(t.Status),
		At: t.StatusAt, ChangedAt: t.ChangedAt, Reason: string(t.Reason), To: t.To, Text: t.Masked, Segments: t.Segments, ReleaseAt: t.ReleaseAt, ClickedAt: t.ClickedAt,
	}
	if reveal {
		row.Text = t.Body
	}
	if t.Reason != "" {
		row.Why = Why(t.Reason)
	}
	return row
}

// Text returns a text and its life.
func (s *Service) Text(ctx context.Context, store, id string, reveal bool) (Text, error) {
	found, err := s.life(ctx, store, id)
	if err != nil {
		return Text{}, err
	}
	t := Text{
		TextRow: textRow(found.Text, reveal), From: found.From, Variables: found.Variables, ProviderID: found.ProviderID, Code: found.Code, Error: found.Error,
		Attempt: found.Attempt, Triggers: []TextTrigger{}, Life: []TextChange{},
	}
	if !reveal {
		t.Variables = mask.Variables(found.Variables)
	}
	for _, each := range found.Triggers {
		t.Triggers = append(t.Triggers, TextTrigger(each))
	}
	for _, c := range found.Changes {
		change := TextChange{At: c.At, Status: string(c.Status), Code: c.Code, Error: c.Error, Attempt: c.Attempt, ReleaseAt: c.ReleaseAt}
		if c.Reason != "" {
			change.Why = Why(c.Reason)
		}
		t.Life = append(t.Life, change)
	}
	if customer, err := s.cfg.Model.Customer(ctx, store, found.Customer, 1); err == nil {
		t.Zone = s.zone(store, customer.Customer.Phone)
	}
	return t, nil
}

// life returns a text of a store.
func (s *Service) life(ctx context.Context, store, id string) (readmodel.TextLife, error) {
	if err := s.known(store); err != nil {
		return readmodel.TextLife{}, err
	}
	found, err := s.cfg.Model.Text(ctx, id)
	if err == nil && found.Store != store {
		err = fmt.Errorf("%w: of store %s", readmodel.ErrNotFound, store)
	}
	return found, ofModel("text "+id, err)
}

// zone returns the time zone of a number, "" if it tells none.
func (s *Service) zone(store, number string) string {
	if s.cfg.Zone == nil || number == "" {
		return ""
	}
	return s.cfg.Zone(store, number)
}
