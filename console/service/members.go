package service

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/membership"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// SegmentCounts are the members of segments.
type SegmentCounts struct {
	Store     string         `json:"store"`
	At        time.Time      `json:"at"`
	Customers int            `json:"customers"`
	Strangers int            `json:"texted_without_row"` // were texted and have no row, such as deleted ones
	Segments  []SegmentCount `json:"segments"`
}

// SegmentCount is the members of one segment.
type SegmentCount struct {
	Name       string       `json:"name"` // the conditions, where no name was given
	Conditions string       `json:"conditions"`
	Rule       segment.Rule `json:"rule"`
	Members    int          `json:"members"`
}

// MembersPage selects members.
type MembersPage struct {
	After  string // Next of the page before, "" for the first
	Limit  int    // 0 for 50, at most 500
	Reveal bool   // e-mails and numbers
}

// Members is a page of members.
type Members struct {
	Members []Member `json:"members"`
	Next    string   `json:"next,omitempty"` // for MembersPage.After; "" at the end
}

// Member is a customer in a segment.
type Member struct {
	ID    string `json:"recharge_customer_id"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"` // as typed
}

// ExportWithin is how long a client may take for a piece of an exported file: its request keeps others from reading the topics meanwhile.
const ExportWithin = 10 * time.Second

// MaxMembers is the largest page of members.
const MaxMembers = 500

// source returns what reads customers and their texts.
func (s *Service) source(store string) membership.Source {
	return membership.Source{Cluster: s.cfg.Cluster, Topics: s.cfg.Topics, Store: store}
}

// maxCounted is how many segments are counted at a time.
const maxCounted = 50

// CountSegments counts the members of segments, or of conditions; of all segments if none is named.
func (s *Service) CountSegments(ctx context.Context, store string, namesOrConditions ...string) (SegmentCounts, error) {
	list, err := s.named(ctx, store, namesOrConditions)
	if err != nil {
		return SegmentCounts{}, err
	}
	done, err := s.scan(ctx)
	if err != nil {
		return SegmentCounts{}, err
	}
	defer done()
	rules := make([]segment.Rule, len(list))
	for i, each := range list {
		rules[i] = each.Rule
	}
	result := SegmentCounts{Store: store, At: s.cfg.Now().UTC(), Segments: []SegmentCount{}}
	counts, err := s.source(store).Count(ctx, result.At, rules...)
	if err != nil {
		return result, unavailable(err)
	}
	result.Customers, result.Strangers = counts.Customers, counts.Strangers
	for i, each := range list {
		result.Segments = append(result.Segments, SegmentCount{Name: each.Name, Conditions: each.Rule.String(), Rule: each.Rule, Members: counts.Members[i]})
	}
	return result, nil
}

// named returns the segments that texts name or are, all if there are none.
func (s *Service) named(ctx context.Context, store string, texts []string) (list []settings.Segment, err error) {
	if len(texts) == 0 {
		return s.segments(ctx, store)
	}
	if len(texts) > maxCounted {
		return nil, invalid("segments", "has %d, at most %d are counted at a time", len(texts), maxCounted)
	}
	for _, text := range texts {
		found, err := s.segment(ctx, store, text)
		if err != nil {
			return nil, err
		}
		list = append(list, found)
	}
	return list, nil
}

const defaultMembers = 50

// errFull ends a page.
var errFull = errors.New("the page is full")

// Members returns a page of the members of a segment, or of conditions.
func (s *Service) Members(ctx context.Context, store, nameOrConditions string, page MembersPage) (Members, error) {
	limit := cmp.Or(page.Limit, defaultMembers)
	if limit < 1 || limit > MaxMembers {
		return Members{}, invalid("limit", "is %d, expected 1 to %d", limit, MaxMembers)
	}
	after, err := positionOf(page.After)
	if err != nil {
		return Members{}, err
	}
	found, err := s.segment(ctx, store, nameOrConditions)
	if err != nil {
		return Members{}, err
	}
	done, err := s.scan(ctx)
	if err != nil {
		return Members{}, err
	}
	defer done()
	result, last := Members{Members: []Member{}}, membership.Position{}
	mask := timeline.NewMasker(page.Reveal)
	err = s.source(store).MembersAfter(ctx, s.cfg.Now(), found.Rule, after, func(at membership.Position, row subscriber.CustomerRow) error {
		if len(result.Members) == limit {
			return errFull
		}
		last = at
		result.Members = append(result.Members, memberOf(row, mask, page.Reveal))
		return nil
	})
	if errors.Is(err, errFull) {
		result.Next, err = textOf(last), nil
	}
	return result, unavailable(err)
}

// textOf writes a position for Members.Next.
func textOf(p membership.Position) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(p.Partition) + "/" + p.ID))
}

// positionOf reads what textOf writes; the zero position for "".
func positionOf(text string) (membership.Position, error) {
	if text == "" {
		return membership.Position{}, nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	number, id, found := strings.Cut(string(decoded), "/")
	partition, numberErr := strconv.Atoi(number)
	if err != nil || numberErr != nil || !found || id == "" || partition < 0 {
		return membership.Position{}, invalid("after", "is not the end of a page")
	}
	return membership.Position{Partition: partition, ID: id}, nil
}

// memberOf returns a member, masked unless it is revealed.
func memberOf(row subscriber.CustomerRow, mask timeline.Masker, reveal bool) Member {
	m := Member{ID: row.RechargeCustomerID, Email: mask.Email(row.Email), Phone: row.Phone}
	if !reveal && m.Phone != "" {
		m.Phone = sms.Mask(m.Phone)
	}
	return m
}

// EachMember calls visit with all members of a segment, or of conditions, masked unless they are revealed.
func (s *Service) EachMember(ctx context.Context, store, nameOrConditions string, reveal bool, visit func(Member) error) error {
	found, err := s.segment(ctx, store, nameOrConditions)
	if err != nil {
		return err
	}
	done, err := s.scan(ctx)
	if err != nil {
		return err
	}
	defer done()
	mask := timeline.NewMasker(reveal)
	return unavailable(s.source(store).Members(ctx, s.cfg.Now(), found.Rule, func(row subscriber.CustomerRow) error {
		return visit(memberOf(row, mask, reveal))
	}))
}

// ExportSegment writes all members as "csv", which is "", too, or as "json". It returns how many were written.
func (s *Service) ExportSegment(ctx context.Context, store, nameOrConditions, format string, reveal bool, out io.Writer) (written int, err error) {
	write, end, err := formatOf(format, out)
	if err != nil {
		return 0, err
	}
	err = s.EachMember(ctx, store, nameOrConditions, reveal, func(m Member) error {
		written++
		return write(m)
	})
	if err != nil {
		return written, err
	}
	return written, end()
}

// formatOf returns what writes members, and what ends the file.
func formatOf(name string, out io.Writer) (write func(Member) error, end func() error, err error) {
	switch name {
	case "", "csv":
		write, end = asCSV(out)
	case "json":
		write, end = asJSON(out)
	default:
		return nil, nil, invalid("format", "is %q, expected csv or json", name)
	}
	return write, end, nil
}

// asCSV writes CSV with a head, which is written with the first member or at the end.
func asCSV(out io.Writer) (write func(Member) error, end func() error) {
	w, begun := csv.NewWriter(out), false
	begin := func() error {
		if begun {
			return nil
		}
		begun = true
		return w.Write([]string{"recharge_customer_id", "email", "phone"})
	}
	write = func(m Member) error {
		return errors.Join(begin(), w.Write([]string{m.ID, cell(m.Email), cell(m.Phone)}))
	}
	end = func() error {
		err := begin()
		w.Flush()
		return errors.Join(err, w.Error())
	}
	return write, end
}

// cell returns a value as programs for spreadsheets show it: they would run one that begins as a formula does, and customers type their e-mails and numbers.
func cell(value string) string {
	if value == "" || !strings.ContainsRune("=+-@\t\r", rune(value[0])) {
		return value
	}
	if value[0] == '+' && strings.Trim(value[1:], "0123456789*() -.") == "" { // a phone number
		return value
	}
	return "'" + value
}

// asJSON writes a JSON array, a member on each line.
func asJSON(out io.Writer) (write func(Member) error, end func() error) {
	separator := "["
	write = func(m Member) error {
		value, err := json.Marshal(m)
		if err == nil {
			_, err = fmt.Fprintf(out, "%s\n  %s", separator, value)
			separator = ","
		}
		return err
	}
	end = func() error {
		closing := "\n]\n"
		if separator == "[" {
			closing = "[]\n"
		}
		_, err := io.WriteString(out, closing)
		return err
	}
	return write, end
}
