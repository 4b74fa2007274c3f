package expected

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/test/histories"
)

// Checker compares the actual result with the expected one, for some number of customers.
type Checker struct {
	expected    func(n int) Result
	actual      [][]arrived // by customer
	facts       [][]Event   // by customer
	deadLetters []int
	touched     map[int]bool // customers, since the last check
	ids         map[string]bool
	wrong       []string
	events      int
}

// arrived is an event, and the raw record that it was made from.
type arrived struct {
	Event

	raw Position
}

// Position is a record's position in its topic.
type Position struct {
	Partition int
	Offset    int64
}

// NewChecker returns a checker without events. The function returns the expected result of a customer, by number.
func NewChecker(customers int, expected func(n int) Result) *Checker {
	return &Checker{
		expected: expected, actual: make([][]arrived, customers), facts: make([][]Event, customers), deadLetters: make([]int, customers), touched: map[int]bool{}, ids: map[string]bool{},
	}
}

// Events is the number of events so far.
func (c *Checker) Events() int { return c.events }

func (c *Checker) find(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// Once records the ID of an event or a trigger, which must be unique.
func (c *Checker) Once(topic, id string) {
	if id = topic + " " + id; c.ids[id] {
		c.find("%s is there twice", id)
	}
	c.ids[id] = true
}

// Event adds the next value of a partition of recharge.events.
func (c *Checker) Event(value []byte, raw Position) error {
	var e struct {
		Type, Status string
		Customer     json.Number `json:"recharge_customer_id"`
		At           time.Time   `json:"occurred_at"`
		Email        string      `json:"email"`
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
	n, ok := c.number(e.Customer.String())
	if !ok {
		c.find("event of an unknown customer: %s", value)
		return nil
	}
	id := e.Customer
	if resource := e.Subscription.ID + e.Charge.ID; resource != "" {
		id = resource
	}
	more := strings.Replace(strings.Join(e.Change.Changed, ","), "email", "email from "+e.Change.OldEmail, 1)
	if e.Property != nil {
		more = fmt.Sprint(e.Property.Value)
	}
	actual := Event{Name: strings.TrimSpace(e.Type + " " + e.Status), ID: id.String(), At: Stamp(e.At), To: e.Email, More: more}
	c.actual[n] = append(c.actual[n], arrived{actual, raw})
	c.touched[n] = true
	c.events++
	return nil
}

// Fact adds the next value of recharge.facts.
func (c *Checker) Fact(value []byte) error {
	var f struct {
		Status       string
		Customer     json.Number `json:"recharge_customer_id"`
		At           time.Time   `json:"occurred_at"`
		Subscription struct{ ID json.Number }
		Charge       struct{ ID json.Number }
		Order        struct{ ID json.Number }
	}
	if err := json.Unmarshal(value, &f); err != nil {
		return fmt.Errorf("decode fact: %w", err)
	}
	n, ok := c.number(f.Customer.String())
	if !ok {
		c.find("fact of an unknown customer: %s", value)
		return nil
	}
	c.facts[n] = append(c.facts[n], Event{Name: "fact " + f.Status, ID: (f.Subscription.ID + f.Charge.ID + f.Order.ID).String(), At: Stamp(f.At)})
	return nil
}

// DeadLetter adds a dead letter by its key without the store.
func (c *Checker) DeadLetter(key string) {
	n, ok := c.number(key)
	if !ok {
		c.find("dead letter of an unknown customer: %s", key)
		return
	}
	c.deadLetters[n]++
}

func (c *Checker) number(key string) (int, bool) {
	n, ok := histories.NumberOf(key)
	return n, ok && n < len(c.actual)
}

// SoFar finds events that are not expected, or come before others that are expected first. It reports each once.
func (c *Checker) SoFar() []string {
	for n := range c.touched {
		want := c.expected(n)
		events, _ := c.split(n, want)
		if got := len(events); got > len(want.Events) || !slices.Equal(events, want.Events[:got]) {
			c.find("customer %d:\n%s", n, difference(events, want.Events))
		}
	}
	clear(c.touched)
	return c.found()
}

func (c *Checker) found() []string {
	wrong := c.wrong
	c.wrong = nil
	return wrong
}

// split returns the events of a customer's webhooks, those of one webhook sorted, and those of lookups.
func (c *Checker) split(n int, want Result) (events, lookedUp []Event) {
	list := slices.Clone(c.actual[n])
	for from := 0; from < len(list); {
		to := from
		for to < len(list) && list[to].raw == list[from].raw {
			to++
		}
		slices.SortStableFunc(list[from:to], func(a, b arrived) int { return compare(a.Event, b.Event) })
		from = to
	}
	for _, each := range list {
		if slices.Contains(want.LookedUp, each.Event) && !slices.Contains(lookedUp, each.Event) {
			lookedUp = append(lookedUp, each.Event)
			continue
		}
		events = append(events, each.Event)
	}
	return events, lookedUp
}

// difference shows the actual and the expected events from the first difference on.
func difference(actual, want []Event) string {
	same := 0
	for same < min(len(actual), len(want)) && actual[same] == want[same] {
		same++
	}
	return fmt.Sprintf("  after %d correct events came\n    %v\n  expected\n    %v", same, actual[same:min(len(actual), same+4)], want[same:min(len(want), same+4)])
}
