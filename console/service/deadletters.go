package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/console/service/mask"
	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// DeadLetterQuery selects dead letters; empty fields select all.
type DeadLetterQuery struct {
	Role   string `json:"role" query:"role"`
	Store  string `json:"store" query:"store"`
	Reason string `json:"reason" query:"reason"`
	// Open leaves out those that were sent to their role again.
	Open bool `json:"open" query:"open"`
	// Cursor is the Next of the page before.
	Cursor string `json:"cursor" query:"cursor"`
	Limit  int    `json:"limit" query:"limit"`
}

// DeadLetterPage is a page of dead letters, the newest first, and how many there are of each kind.
type DeadLetterPage struct {
	Letters []DeadLetter      `json:"letters"`
	Next    string            `json:"next,omitempty"` // "" for the last page
	Total   int               `json:"total"`          // of the store, role and reason, in all pages
	Counts  []DeadLetterCount `json:"counts"`
}

// DeadLetterCount counts dead letters of a role with a reason.
type DeadLetterCount struct {
	Role   string    `json:"role"`
	Store  string    `json:"store,omitempty"`
	Reason string    `json:"reason"`
	Why    string    `json:"why"`
	Count  int       `json:"count"`
	Sent   int       `json:"sent"` // of them that were sent again
	LastAt time.Time `json:"last_at"`
}

// DeadLetter is a record that a role rejected.
type DeadLetter struct {
	Name       string    `json:"name"` // role/partition/offset
	Role       string    `json:"role"`
	Store      string    `json:"store,omitempty"`
	CustomerID string    `json:"recharge_customer_id,omitempty"`
	Type       string    `json:"type,omitempty"`  // the Recharge topic of a webhook, else the type of the record
	About      string    `json:"about,omitempty"` // such as charge/580825303, if the record names no customer
	Reason     string    `json:"reason"`
	Why        string    `json:"why"`
	Error      string    `json:"error,omitempty"` // masked
	Attempts   int       `json:"attempts"`
	FirstAt    time.Time `json:"first_at"`
	LastAt     time.Time `json:"last_at"`
	ReplayedAt time.Time `json:"replayed_at,omitzero"` // when it was sent again last
	Record     string    `json:"record"`               // topic/partition/offset of the rejected record
	// Headers and Body are of one dead letter alone, Body if personal data is revealed.
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
}

func letterName(role topology.Role, partition int, offset int64) string {
	return fmt.Sprintf("%s/%d/%d", role, partition, offset)
}

// parseLetter parses what letterName returns.
func parseLetter(name string) (role topology.Role, at deadletter.Position, err error) {
	text, position, _ := strings.Cut(name, "/")
	at, err = deadletter.ParsePosition(position)
	if err != nil || !slices.Contains(topology.Consumers(), topology.Role(text)) {
		return "", at, fmt.Errorf("%w: dead letter %q: expected role/partition/offset, such as tracking/3/17", ErrNotFound, name)
	}
	return topology.Role(text), at, nil
}

// checkLetters returns an error for a role that has no dead letters, and a store that is not configured.
func (s *Service) checkLetters(role, store string) error {
	if role != "" && !slices.Contains(topology.Consumers(), topology.Role(role)) {
		return invalid("role", "is %q, which has no dead letters", role)
	}
	return s.known(store)
}

// DeadLetters returns dead letters, newest first.
func (s *Service) DeadLetters(ctx context.Context, query DeadLetterQuery) (DeadLetterPage, error) {
	if err := errors.Join(s.checkLetters(query.Role, query.Store), checkPage(query.Limit)); err != nil {
		return DeadLetterPage{}, err
	}
	found, err := s.cfg.Model.DeadLetters(ctx, readmodel.DeadLetterFilter{
		Role: topology.Role(query.Role), Store: query.Store, Reason: query.Reason, Open: query.Open, After: query.Cursor, Limit: query.Limit,
	})
	if err != nil {
		return DeadLetterPage{}, ofModel("dead letters", err)
	}
	counts, err := s.cfg.Model.DeadLetterCounts(ctx, query.Store)
	if err != nil {
		return DeadLetterPage{}, ofModel("dead letters", err)
	}
	page := DeadLetterPage{Letters: []DeadLetter{}, Next: found.Next, Counts: []DeadLetterCount{}}
	for _, l := range found.Rows {
		page.Letters = append(page.Letters, letterRow(l))
	}
	for _, c := range counts {
		page.Counts = append(page.Counts, DeadLetterCount{
			Role: string(c.Role), Store: c.Store, Reason: c.Reason, Why: Why(reason.Reason(c.Reason)), Count: int(c.Open + c.Replayed), Sent: int(c.Replayed), LastAt: c.LastAt,
		})
		page.Total += query.counts(c)
	}
	return page, nil
}

// counts returns how many of some dead letters the query selects.
func (q DeadLetterQuery) counts(c readmodel.DeadLetterCount) int {
	switch {
	case q.Role != "" && q.Role != string(c.Role), q.Reason != "" && q.Reason != c.Reason:
		return 0
	case q.Open:
		return int(c.Open)
	}
	return int(c.Open + c.Replayed)
}

func letterRow(l readmodel.DeadLetter) DeadLetter {
	return DeadLetter{
		Name: letterName(l.Role, l.Place.Partition, l.Place.Offset), Role: string(l.Role), Store: l.Store, CustomerID: l.Customer, Type: l.Type, About: l.About,
		Reason: l.Reason, Why: Why(reason.Reason(l.Reason)), Error: l.Error, Attempts: l.Attempts, FirstAt: l.FirstAt, LastAt: l.LastAt, ReplayedAt: l.ReplayedAt,
		Record: l.Origin.Topic + "/" + strconv.Itoa(l.Origin.Partition) + "/" + strconv.FormatInt(l.Origin.Offset, 10),
	}
}

// DeadLetter returns one, by its name, straight from its topic.
func (s *Service) DeadLetter(ctx context.Context, name string, reveal bool) (DeadLetter, error) {
	role, at, err := parseLetter(name)
	if err != nil {
		return DeadLetter{}, err
	}
	if err := s.reach(ctx); err != nil {
		return DeadLetter{}, err
	}
	stored, err := kafka.ReadRecord(ctx, s.cfg.Cluster, s.cfg.Topics.DeadLetters(role), at.Partition, at.Offset)
	switch {
	case errors.Is(err, kafka.ErrNoRecord):
		return DeadLetter{}, fmt.Errorf("%w: dead letter %s", ErrNotFound, name)
	case err != nil:
		return DeadLetter{}, unreached("read dead letter "+name, err)
	}
	l := deadletter.Read(stored)
	letter := DeadLetter{
		Name: name, Role: string(role), Store: stored.Header("store"), Reason: l.Reason, Why: Why(reason.Reason(l.Reason)), Error: l.Error, Attempts: l.Attempts,
		FirstAt: l.First, LastAt: l.Last, Record: fmt.Sprintf("%s/%d/%d", l.Record.Topic, l.Record.Partition, l.Record.Offset), Headers: map[string]string{},
	}
	if _, customer, found := strings.Cut(string(l.Record.Key), "/"); found && !strings.Contains(customer, "/") {
		letter.CustomerID = customer
	}
	for _, h := range l.Record.Headers {
		letter.Headers[h.Key] = headerText(h, reveal)
	}
	if reveal {
		letter.Body = string(l.Record.Value)
		return letter, nil
	}
	letter.Error = mask.Text(letter.Error)
	return letter, nil
}

// headerText returns the value of a header. Signatures are not shown: they are credentials.
func headerText(h kafka.Header, reveal bool) string {
	switch {
	case strings.Contains(strings.ToLower(h.Key), "hmac"), strings.Contains(strings.ToLower(h.Key), "signature"):
		return "***"
	case !utf8.Valid(h.Value):
		return fmt.Sprintf("%d bytes", len(h.Value))
	case reveal, strings.HasPrefix(h.Key, "ce_"), strings.HasPrefix(h.Key, "raw_"), strings.HasSuffix(h.Key, "_at"):
		return string(h.Value)
	}
	return mask.Field(h.Key, string(h.Value))
}
