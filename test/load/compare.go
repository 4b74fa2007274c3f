package load

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

// Compare holds values of recharge.events to the account: every fact is there once, however often it was delivered, and none
// beside them. As with the other comparisons the error is *Differences, unless a value cannot be read.
// Properties are not facts of one webhook and are passed over.
func (a *Account) Compare(events [][]byte) error {
	ids, told := map[string]string{}, map[string]int{}
	for _, raw := range events {
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("decode event: %w", err)
		}
		if e.Type == "customer_property" {
			continue
		}
		fact := fact(e.Type, e.Status, e.Subscription.ID+e.Charge.ID, e.OccurredAt)
		if known, ok := ids[e.ID]; ok && known != fact {
			return fmt.Errorf("id %s tells %q and %q", e.ID, known, fact)
		}
		ids[e.ID] = fact
		told[fact]++
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return report(differences(a.facts, told, once), len(a.facts))
}

// CompareAccepted holds the events that Bloomreach keeps to the account: every fact once, whatever was delivered twice or
// sent twice, and none beside them.
func (a *Account) CompareAccepted(events []bloomreachtest.Event) error {
	told := map[string]int{}
	for _, e := range events {
		seconds, _, _ := strings.Cut(e.Timestamp, ".")
		at, err := strconv.ParseInt(seconds, 10, 64)
		if err != nil {
			return fmt.Errorf("read timestamp of event: %w", err)
		}
		told[fact(e.Type, text(e, "status"), text(e, "subscription_id")+text(e, "charge_id"), time.Unix(at, 0))]++
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return report(differences(a.facts, told, once), len(a.facts))
}

func once(_ string, asked times, got int) bool { return asked.taken > 0 && got == 1 }

func text(e bloomreachtest.Event, property string) string {
	value, _ := e.Properties[property].(string)
	return value
}

// DeadLetter is one of them: the topic that Recharge gave the webhook, and its body.
type DeadLetter struct {
	Topic string
	Body  []byte
}

// CompareDead holds the transformer's dead letters to the account: one for each webhook that was taken and can only be one,
// or that got in unanswered, and none beside them.
func (a *Account) CompareDead(letters []DeadLetter) error {
	found := map[string]int{}
	for _, letter := range letters {
		var body map[string]struct {
			ID json.Number `json:"id"`
		}
		if err := json.Unmarshal(letter.Body, &body); err != nil {
			return fmt.Errorf("decode dead letter of %s: %w", letter.Topic, err)
		}
		resource, _, _ := strings.Cut(letter.Topic, "/")
		found[letter.Topic+" "+body[resource].ID.String()]++
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return report(differences(a.dead, found, func(_ string, asked times, got int) bool {
		return got >= asked.taken && got <= asked.tried
	}), len(a.dead))
}

// differences names what is wrong between what was asked for and what there is; fine judges one by its two numbers.
func differences(asked map[string]times, got map[string]int, fine func(name string, asked times, got int) bool) []string {
	var wrong []string
	for name, told := range asked {
		if !fine(name, told, got[name]) {
			wrong = append(wrong, fmt.Sprintf("%s: there %d times, told %d times", name, got[name], told.taken))
		}
	}
	for name, there := range got {
		if asked[name].tried == 0 {
			wrong = append(wrong, fmt.Sprintf("%s: there %d times, never told", name, there))
		}
	}
	return wrong
}

// Differences are all that is wrong, in order; the text names the first few.
type Differences struct {
	Of   int // how many names the account has
	List []string
}

func (d *Differences) Error() string {
	return fmt.Sprintf("%d differences of %d, the first: %s", len(d.List), d.Of, strings.Join(d.List[:min(5, len(d.List))], "; "))
}

func report(wrong []string, of int) error {
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return &Differences{Of: of, List: wrong}
}

// event is what a value of recharge.events says, read without the product's types.
type event struct {
	ID           string    `json:"id"`
	Type         string    `json:"type"`
	Status       string    `json:"status"`
	OccurredAt   time.Time `json:"occurred_at"`
	Subscription struct {
		ID string `json:"id"`
	} `json:"subscription"`
	Charge struct {
		ID string `json:"id"`
	} `json:"charge"`
}

// fact is the name of what an event tells; only what can happen again has its time in it, in whole seconds.
func fact(kind, status, id string, at time.Time) string {
	if status != "activated" && status != "canceled" {
		at = time.Time{}
	}
	return name(kind+" "+status, id, at.Truncate(time.Second))
}
