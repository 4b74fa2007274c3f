package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// ConsentCounts are the numbers of a store that have opted in and out.
type ConsentCounts struct {
	Store    string       `json:"store"`
	Mode     consent.Mode `json:"mode"`
	Explains string       `json:"explains"` // whom the store may text, in words
	OptedIn  int          `json:"opted_in"`
	OptedOut int          `json:"opted_out"`
}

// ConsentInfo is what is known of a number.
type ConsentInfo struct {
	Store  string         `json:"store"`
	Number string         `json:"number"`           // masked, unless revealed
	Status consent.Status `json:"status,omitempty"` // "" if nothing is known
	// MayText is whether the store may text it, Reason why not.
	MayText bool           `json:"may_text"`
	Reason  string         `json:"reason,omitempty"`
	History []ConsentEntry `json:"history"` // newest first: the first holds
}

// ConsentEntry is one decision.
type ConsentEntry struct {
	Status consent.Status `json:"status"`
	At     time.Time      `json:"at"`
	By     consent.Source `json:"by"`
	Detail string         `json:"detail,omitempty"`
}

// ConsentChange records a decision about numbers.
type ConsentChange struct {
	Numbers []string `json:"numbers"` // with country codes
	Note    string   `json:"note,omitempty"`
	// DespiteStop lets an opt-in replace an opt-out that the customer has sent: for operators alone.
	DespiteStop bool `json:"despite_stop,omitempty"`
}

// ConsentChanged is a number after a change.
type ConsentChanged struct {
	Number  string         `json:"number"` // masked
	Status  consent.Status `json:"status"`
	Changed bool           `json:"changed"` // false: it was so already
}

// ConsentCounts counts the numbers of a store that have opted in and out.
func (s *Service) ConsentCounts(ctx context.Context, store string) (ConsentCounts, error) {
	found, err := s.store(store)
	if err != nil {
		return ConsentCounts{}, err
	}
	counts := ConsentCounts{Store: store, Mode: found.Asks, Explains: found.Asks.Explain()}
	if s.cfg.Consent != nil {
		if !s.knowsConsent() {
			return counts, errNoConsent()
		}
		counts.OptedIn, counts.OptedOut = s.cfg.Consent.Count(store)
		return counts, nil
	}
	rows, err := s.consents(ctx)
	if err != nil {
		return counts, err
	}
	for _, change := range consent.Newest(rows.Prefix(store + "/")) {
		if change.Status == consent.OptedIn {
			counts.OptedIn++
		} else {
			counts.OptedOut++
		}
	}
	return counts, nil
}

// knowsConsent reports whether the table of consent was read.
func (s *Service) knowsConsent() bool {
	select {
	case <-s.cfg.Consent.Ready():
		return true
	default:
		return false
	}
}

func errNoConsent() error {
	return fmt.Errorf("%w: the consent of numbers is still being read", ErrUnavailable)
}

// ConsentOf returns what is known of a number.
func (s *Service) ConsentOf(ctx context.Context, store, number string, reveal bool) (ConsentInfo, error) {
	found, err := s.store(store)
	if err != nil {
		return ConsentInfo{}, err
	}
	canonical, err := sms.Canonical(number)
	if err != nil {
		return ConsentInfo{}, notNumber("number")
	}
	done, err := s.scan(ctx)
	if err != nil {
		return ConsentInfo{}, err
	}
	defer done()
	rows, err := s.consents(ctx)
	if err != nil {
		return ConsentInfo{}, err
	}
	info := ConsentInfo{Store: store, Number: canonical, History: []ConsentEntry{}}
	if !reveal {
		info.Number = sms.Mask(canonical)
	}
	mask := timeline.NewMasker(reveal)
	for _, change := range consent.History(rows, store, canonical) {
		info.History = append(info.History, ConsentEntry{Status: change.Status, At: change.At, By: change.By, Detail: mask.Text(change.Detail)})
	}
	if len(info.History) > 0 {
		info.Status = info.History[0].Status
	}
	why, may := found.Asks.May(info.Status)
	info.MayText, info.Reason = may, string(why)
	return info, nil
}

func notNumber(field string) error {
	return invalid(field, "is not a number with its country code, such as +14155552671")
}

// OptOut records that numbers must not be texted.
func (s *Service) OptOut(ctx context.Context, who, store string, change ConsentChange) ([]ConsentChanged, error) {
	if change.DespiteStop {
		return nil, invalid("despite_stop", "is for an opt-in only")
	}
	return s.decide(ctx, who, store, change, consent.OptedOut)
}

// OptIn records that numbers may be texted.
func (s *Service) OptIn(ctx context.Context, who, store string, change ConsentChange) ([]ConsentChanged, error) {
	return s.decide(ctx, who, store, change, consent.OptedIn)
}

const (
	maxNumbers = 1000 // of one change
	maxNote    = 120  // bytes
)

// decide records a decision about numbers.
func (s *Service) decide(ctx context.Context, who, store string, change ConsentChange, status consent.Status) ([]ConsentChanged, error) {
	if _, err := s.store(store); err != nil {
		return nil, err
	}
	numbers, err := change.numbers()
	if err != nil {
		return nil, err
	}
	var result []ConsentChanged
	var changes []consent.Change
	err = s.write(ctx, func() error { // two decisions about a number at a time would be in no order
		rows, err := s.consents(ctx)
		if err != nil {
			return err
		}
		result, changes, err = decisions(rows, numbers, change.DespiteStop, consent.Change{
			Store: store, Status: status, At: s.cfg.Now(), By: consent.ByOperator, Detail: noteBy(change.Note, who),
		})
		if err != nil {
			return err
		}
		_, err = consent.Publish(ctx, s.cfg.Produce, s.cfg.Topics.Consent(), s.cfg.Now(), changes)
		return unavailable(err)
	})
	if err != nil {
		return nil, err
	}
	if s.cfg.Consent != nil && len(changes) > 0 {
		last := changes[len(changes)-1]
		s.await(ctx, func() bool { return s.cfg.Consent.Status(store, last.Number) == status })
	}
	return result, nil
}

// decisions returns what a decision changes for numbers, and the changes that it needs.
func decisions(rows *consent.Rows, numbers []string, despiteStop bool, of consent.Change) (result []ConsentChanged, changes []consent.Change, err error) {
	if of.Status == consent.OptedIn && !despiteStop {
		if err := stopped(rows, of.Store, numbers); err != nil {
			return nil, nil, err
		}
	}
	for _, number := range numbers {
		of.Number = number
		c, needed, err := consent.Decide(rows, of)
		if err != nil {
			return nil, nil, invalid("numbers", "%s", err)
		}
		result = append(result, ConsentChanged{Number: sms.Mask(number), Status: of.Status, Changed: needed})
		if needed {
			changes = append(changes, c)
		}
	}
	return result, changes, nil
}

// stopped returns an error if customers have opted out themselves: an operator alone may undo that.
func stopped(rows *consent.Rows, store string, numbers []string) error {
	var faults []Fault
	for i, number := range numbers {
		history := consent.History(rows, store, number)
		if len(history) == 0 || history[0].Status != consent.OptedOut || history[0].By != consent.ByKeyword && history[0].By != consent.ByDestination {
			continue
		}
		faults = append(faults, Fault{
			Field:   fmt.Sprintf("numbers[%d]", i),
			Problem: sms.Mask(number) + " has opted out itself: it opts in with a text such as START, or an operator records despite_stop",
		})
	}
	if len(faults) == 0 {
		return nil
	}
	return &InvalidError{Faults: faults}
}

// noteBy returns a note that says who wrote it.
func noteBy(note, who string) string {
	if who == "" {
		return note
	}
	return strings.TrimSpace(note + " (by " + who + ")")
}

// Check returns what is wrong with a change, as far as it can be seen without what is known of the numbers.
func (c ConsentChange) Check() error {
	_, err := c.numbers()
	return err
}

// numbers returns the numbers in E.164, each once.
func (c ConsentChange) numbers() (numbers []string, err error) {
	if len(c.Numbers) == 0 || len(c.Numbers) > maxNumbers {
		return nil, invalid("numbers", "has %d numbers, expected 1 to %d", len(c.Numbers), maxNumbers)
	}
	if len(c.Note) > maxNote {
		return nil, invalid("note", "has %d bytes, at most %d are possible", len(c.Note), maxNote)
	}
	seen := map[string]bool{}
	var faults []Fault
	for i, given := range c.Numbers {
		number, err := sms.Canonical(given)
		var wrong *InvalidError
		switch {
		case err != nil && errors.As(notNumber(fmt.Sprintf("numbers[%d]", i)), &wrong):
			faults = append(faults, wrong.Faults...)
		case !seen[number]:
			seen[number] = true
			numbers = append(numbers, number)
		}
	}
	if len(faults) > 0 {
		return nil, &InvalidError{Faults: faults}
	}
	return numbers, nil
}
