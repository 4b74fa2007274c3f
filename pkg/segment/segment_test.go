package segment_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
)

func TestParse(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/parse.txtar")
	require.NoError(t, err)
	for _, part := range archive.Files {
		for line := range strings.Lines(string(part.Data)) {
			text, want, found := strings.Cut(strings.TrimSuffix(line, "\n"), " => ")
			require.True(t, found, line)
			rule, err := segment.Parse(text)
			if part.Name == "faults" {
				require.ErrorIs(t, err, segment.ErrRule, line)
				assert.Contains(t, err.Error(), want)
				continue
			}
			require.NoError(t, err, line)
			assert.Equal(t, want, rule.String())
		}
	}
}

// What is not written by Parse, such as a row of another version, is checked.
func TestCheck(t *testing.T) {
	received := segment.Rule{Condition: segment.Received, Flow: segment.Any}
	deep := received
	for range 11 {
		deep = segment.Rule{All: []segment.Rule{deep, received}}
	}
	for want, rule := range map[string]segment.Rule{
		"condition \"\" is unknown":          {},
		"condition \"opened\" is unknown":    {Condition: "opened", Flow: segment.Any},
		"there is no flow \"help\"":          {Condition: segment.Clicked, Flow: flow.Help},
		"500 days, expected 1 to 400":        {Condition: segment.Clicked, Flow: segment.Any, WithinDays: 500},
		"either all, any, or a condition":    {All: []segment.Rule{received, received}, Any: []segment.Rule{received}},
		"all and any need two rules or more": {All: []segment.Rule{received}},
		"it has 51 conditions":               {Any: make([]segment.Rule, 51)},
		"its parentheses are 11 deep":        deep,
	} {
		err := rule.Check()
		require.ErrorIs(t, err, segment.ErrRule)
		assert.Contains(t, err.Error(), want)
	}
	require.NoError(t, segment.Rule{All: []segment.Rule{received, {Any: []segment.Rule{received, received}}}}.Check())
}

func TestNames(t *testing.T) {
	for name, valid := range map[string]bool{
		"at_risk": true, "a": true, "a1": true, strings.Repeat("a", 40): true,
		"": false, "1a": false, "_a": false, "At": false, "at-risk": false, "ä": false, strings.Repeat("a", 41): false,
	} {
		assert.Equal(t, valid, segment.CheckName(name) == nil, name)
	}
}

// changed is a change as recharge.messages has it.
func changed(c message.Change) segment.Change {
	return segment.Change{ID: c.ID, Flow: c.Flow, Received: c.Status == message.Accepted || c.Status == message.Sent || c.Status == message.Delivered, At: c.At, ClickedAt: c.ClickedAt}
}

// now is the time of all examples.
func now() time.Time { return time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC) }

// A customer got a text about a failed charge 10 days ago and clicked it 5 days ago, one about a payment that was reported as undelivered, and one
// that is perhaps sent. They were answered to HELP.
func TestHas(t *testing.T) {
	var h segment.History
	for _, c := range []message.Change{
		{ID: "a", Flow: flow.ChargeFailed, Status: message.Planned, At: now().AddDate(0, 0, -11)},
		{ID: "a", Flow: flow.ChargeFailed, Status: message.Accepted, At: now().AddDate(0, 0, -10)},
		{ID: "a", Flow: flow.ChargeFailed, Status: message.Delivered, At: now().AddDate(0, 0, -9)},
		{ID: "a", Flow: flow.ChargeFailed, Status: message.Delivered, At: now().AddDate(0, 0, -5), ClickedAt: now().AddDate(0, 0, -5)},
		{ID: "b", Flow: flow.ChargePaid, Status: message.Accepted, At: now()},
		{ID: "b", Flow: flow.ChargePaid, Status: message.Undelivered, At: now()},
		{ID: "c", Flow: flow.OrderSkipped, Status: message.Unknown, At: now()},
		{ID: "d", Flow: flow.Help, Status: message.Accepted, At: now()},
	} {
		h.Changed(changed(c))
	}
	for text, want := range map[string]bool{
		"received any":                      true,
		"received any in 10d":               true,
		"received any in 9d":                false,
		"not received any in 9d":            true,
		"received charge_failed":            true,
		"received charge_paid":              false,
		"received order_skipped":            false,
		"clicked any in 5d":                 true,
		"clicked any in 4d":                 false,
		"clicked charge_paid":               false,
		"not clicked charge_paid":           true,
		"received any and not clicked any":  false,
		"clicked any or received any in 1d": true,
	} {
		rule, err := segment.Parse(text)
		require.NoError(t, err)
		assert.Equal(t, want, rule.Has(&h, now()), text)
	}
	not, err := segment.Parse("not received any and not clicked any")
	require.NoError(t, err)
	assert.True(t, not.Has(nil, now()), "a customer without texts")
	assert.True(t, not.Has(&segment.History{}, now()))
}

// rules draws a rule. The rules in All are no All, nor those in Any an Any, as Parse returns them.
func rules(t *rapid.T, depth int, without string) segment.Rule {
	kind := rapid.SampledFrom([]string{"all", "any", "condition", "condition"}).Draw(t, "kind")
	if depth == 0 || kind == without || kind == "condition" {
		return segment.Rule{
			Condition:  rapid.SampledFrom([]segment.Condition{segment.Received, segment.NotReceived, segment.Clicked, segment.NotClicked}).Draw(t, "condition"),
			Flow:       rapid.SampledFrom([]flow.Key{segment.Any, flow.ChargePaid, flow.ChargeFailed}).Draw(t, "flow"),
			WithinDays: rapid.IntRange(0, 12).Draw(t, "days"),
		}
	}
	var parts []segment.Rule
	for range rapid.IntRange(2, 3).Draw(t, "parts") {
		parts = append(parts, rules(t, depth-1, kind))
	}
	if kind == "all" {
		return segment.Rule{All: parts}
	}
	return segment.Rule{Any: parts}
}

// A rule is the same after it was printed and parsed, and as JSON.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := rules(t, 3, "")
		require.NoError(t, rule.Check())
		parsed, err := segment.Parse(rule.String())
		require.NoError(t, err)
		require.Equal(t, rule, parsed, rule.String())
		encoded, err := json.Marshal(rule)
		require.NoError(t, err)
		var decoded segment.Rule
		require.NoError(t, json.Unmarshal(encoded, &decoded))
		require.Equal(t, rule, decoded)
	})
}

// changes draws the changes of some texts, each in its order.
func changes(t *rapid.T) (all []message.Change) {
	statuses := []message.Status{message.Planned, message.Claimed, message.Suppressed, message.Unknown, message.Rejected, message.Accepted, message.Sent, message.Delivered, message.Undelivered}
	at := now().AddDate(0, 0, -rapid.IntRange(0, 12).Draw(t, "start"))
	clicks := map[string]time.Time{}
	for range rapid.IntRange(0, 12).Draw(t, "changes") {
		id := fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "text"))
		c := message.Change{ID: id, Flow: []flow.Key{flow.ChargePaid, flow.ChargeFailed, flow.OrderSkipped, flow.Help}[id[0]-'1'], At: at, Status: rapid.SampledFrom(statuses).Draw(t, "status")}
		if rapid.IntRange(0, 4).Draw(t, "click") == 0 && clicks[id].IsZero() {
			clicks[id] = at
		}
		c.ClickedAt = clicks[id]
		all = append(all, c)
		if at = at.Add(time.Duration(rapid.IntRange(0, 36).Draw(t, "hours")) * time.Hour); at.After(now()) {
			at = now()
		}
	}
	return all
}

// naive decides by the changes alone, looking at all of them for each condition.
func naive(rule segment.Rule, all []message.Change) bool {
	switch {
	case len(rule.All) > 0:
		for _, part := range rule.All {
			if !naive(part, all) {
				return false
			}
		}
		return true
	case len(rule.Any) > 0:
		for _, part := range rule.Any {
			if naive(part, all) {
				return true
			}
		}
		return false
	case strings.HasPrefix(string(rule.Condition), "not_"):
		rule.Condition = rule.Condition[len("not_"):]
		return !naive(rule, all)
	}
	for _, c := range all {
		if c.Flow == flow.Help || rule.Flow != segment.Any && c.Flow != rule.Flow {
			continue
		}
		at := c.ClickedAt
		if rule.Condition == segment.Received {
			at = receivedAt(c.ID, all)
		}
		if !at.IsZero() && (rule.WithinDays == 0 || now().Sub(at) <= time.Duration(rule.WithinDays)*24*time.Hour) {
			return true
		}
	}
	return false
}

// receivedAt is when the provider first had a text, if its last status says that it has it.
func receivedAt(id string, all []message.Change) (first time.Time) {
	has := false
	for _, c := range all {
		if c.ID != id {
			continue
		}
		if has = strings.Contains(" accepted sent delivered ", " "+string(c.Status)+" "); has && first.IsZero() {
			first = c.At
		}
	}
	if !has {
		return time.Time{}
	}
	return first
}

// The members are those that a computation finds that looks at each change again for each condition.
func TestHasAgreesWithNaiveComputation(t *testing.T) {
	members, others := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		rule, all := rules(t, 3, ""), changes(t)
		var h segment.History
		for _, c := range all {
			h.Changed(changed(c))
		}
		got := rule.Has(&h, now())
		require.Equal(t, naive(rule, all), got, rule.String())
		if got {
			members++
		} else {
			others++
		}
	})
	assert.Positive(t, members)
	assert.Positive(t, others)
}
