package lives

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Watch holds what comes out to what must come of so many lives of a shop.
type Watch struct {
	shop    Shop
	came    [][]came // by life
	letters []int
	touched map[int]bool // since the last check
	ids     map[string]bool
	wrong   []string
	events  int
}

// came is an event, and the raw record that it is of.
type came struct {
	line string
	raw  Place
}

// Place is where a record lies.
type Place struct {
	Partition int
	Offset    int64
}

// NewWatch begins with nothing.
func NewWatch(s Shop, lives int) *Watch {
	return &Watch{
		shop: s, came: make([][]came, lives), letters: make([]int, lives), touched: map[int]bool{}, ids: map[string]bool{},
	}
}

// Events is how many events came so far.
func (w *Watch) Events() int { return w.events }

func (w *Watch) find(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// Once notes the id of an event or a trigger, which no two of them have in common.
func (w *Watch) Once(topic, id string) {
	if id = topic + " " + id; w.ids[id] {
		w.find("%s is there twice", id)
	}
	w.ids[id] = true
}

// Event takes the next value of recharge.events of a partition.
func (w *Watch) Event(value []byte, raw Place) error {
	var e struct {
		Type, Status string
		Customer     json.Number       `json:"recharge_customer_id"`
		At           time.Time         `json:"occurred_at"`
		IDs          map[string]string `json:"customer_ids"`
		Subscription struct{ ID json.Number }
		Charge       struct{ ID json.Number }
		Property     *struct{ Value bool }
		Change       struct {
			Changed  []string
			OldEmail string `json:"old_email"`
		} `json:"customer"`
	}
	if err := json.Unmarshal(value, &e); err != nil {
		return fmt.Errorf("decode event: %w", err)
	}
	n, ok := w.number(e.Customer)
	if !ok {
		w.find("an event is of nobody who lived: %s", value)
		return nil
	}
	id := e.Customer
	if of := e.Subscription.ID + e.Charge.ID; of != "" {
		id = of
	}
	more := strings.Replace(strings.Join(e.Change.Changed, ","), "email", "email from "+e.Change.OldEmail, 1)
	if e.Property != nil {
		more = fmt.Sprint(e.Property.Value)
	}
	line := strings.TrimSpace(fmt.Sprintf("%s %s at %s to %s %s", strings.TrimSpace(e.Type+" "+e.Status), id, stamp(e.At), e.IDs["registered"], more))
	w.came[n] = append(w.came[n], came{line, raw})
	w.touched[n] = true
	w.events++
	return nil
}

// Letter takes a dead letter of a customer by id.
func (w *Watch) Letter(id string) {
	n, ok := w.number(json.Number(id))
	if !ok {
		w.find("a dead letter is of nobody who lived: %s", id)
		return
	}
	w.letters[n]++
}

func (w *Watch) number(customer json.Number) (int, bool) {
	id, err := customer.Int64()
	n := NumberOf(id)
	return n, err == nil && n >= 0 && n < len(w.came)
}

// SoFar finds events that should not be there, or come before others that should have come first, and forgets which they are:
// each is told once.
func (w *Watch) SoFar() []string {
	for n := range w.touched {
		l := w.shop.Life(n)
		must := l.Reckon(Bursts)
		events, _ := w.inOrder(n, must)
		if got := len(events); got > len(must.Events) || !slices.Equal(events, must.Events[:got]) {
			w.find("customer %d:\n%s", CustomerID(n), beside(events, must.Events))
		}
	}
	clear(w.touched)
	wrong := w.wrong
	w.wrong = nil
	return wrong
}

// inOrder are the events of a life's webhooks, those of one in the order of their text, and those that are answers'.
func (w *Watch) inOrder(n int, must Reckoning) (events, answered []string) {
	list := slices.Clone(w.came[n])
	for from := 0; from < len(list); {
		to := from
		for to < len(list) && list[to].raw == list[from].raw {
			to++
		}
		slices.SortStableFunc(list[from:to], func(a, b came) int { return strings.Compare(a.line, b.line) })
		from = to
	}
	for _, c := range list {
		if slices.Contains(must.Answered, c.line) && !slices.Contains(answered, c.line) {
			answered = append(answered, c.line)
			continue
		}
		events = append(events, c.line)
	}
	return events, answered
}

// beside shows what came beside what should have, from the first difference on.
func beside(came, must []string) string {
	same := 0
	for same < min(len(came), len(must)) && came[same] == must[same] {
		same++
	}
	return fmt.Sprintf("  after %d that are right came\n    %s\n  and should have\n    %s", same,
		strings.Join(came[same:min(len(came), same+4)], "\n    "), strings.Join(must[same:min(len(must), same+4)], "\n    "))
}
