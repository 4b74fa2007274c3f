package segment

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Condition is what a customer must have done, or not.
type Condition string

// The conditions.
const (
	Received    Condition = "received"
	NotReceived Condition = "not_received"
	Clicked     Condition = "clicked"
	NotClicked  Condition = "not_clicked"
)

// Any as the flow of a condition is each of the twelve flows. An answer to HELP is not of a flow.
const Any flow.Key = "any"

// Rule is either a condition, or other rules of which all or at least one must hold.
type Rule struct {
	All []Rule `json:"all,omitempty"` // and
	Any []Rule `json:"any,omitempty"` // or

	Condition Condition `json:"condition,omitempty"`
	Flow      flow.Key  `json:"flow,omitempty"` // one of the twelve, or Any
	// WithinDays limits the condition to the last days, of 24 hours each; 0 is no limit.
	WithinDays int `json:"within_days,omitempty"`
}

// MaxDays is the longest time of a condition: recharge.messages has no more.
const MaxDays = 400

const (
	maxConditions = 50
	maxDepth      = 10
)

// ErrRule means that a rule is not valid.
var ErrRule = errors.New("segment is not valid")

// Check returns why a rule is not valid, wrapping ErrRule.
func (r Rule) Check() error {
	conditions, depth := r.size()
	switch {
	case conditions > maxConditions:
		return fmt.Errorf("%w: it has %d conditions, at most %d are possible", ErrRule, conditions, maxConditions)
	case depth > maxDepth:
		return fmt.Errorf("%w: its parentheses are %d deep, at most %d are possible", ErrRule, depth, maxDepth)
	}
	return r.check()
}

// size returns the number of conditions, and how deep rules are in others.
func (r Rule) size() (conditions, depth int) {
	if len(r.All)+len(r.Any) == 0 {
		return 1, 0
	}
	for _, part := range slices.Concat(r.All, r.Any) {
		c, d := part.size()
		conditions, depth = conditions+c, max(depth, d+1)
	}
	return conditions, depth
}

func (r Rule) check() error {
	parts := slices.Concat(r.All, r.Any)
	switch {
	case len(parts) == 0:
		return r.checkCondition()
	case len(r.All) > 0 && len(r.Any) > 0 || r.Condition != "" || r.Flow != "" || r.WithinDays != 0:
		return fmt.Errorf("%w: a rule has either all, any, or a condition", ErrRule)
	case len(parts) < 2:
		return fmt.Errorf("%w: all and any need two rules or more", ErrRule)
	}
	for _, part := range parts {
		if err := part.check(); err != nil {
			return err
		}
	}
	return nil
}

func (r Rule) checkCondition() error {
	switch {
	case !slices.Contains([]Condition{Received, NotReceived, Clicked, NotClicked}, r.Condition):
		return fmt.Errorf("%w: condition %q is unknown", ErrRule, r.Condition)
	case r.Flow != Any && !slices.Contains(flow.Keys(), r.Flow):
		return fmt.Errorf("%w: there is no flow %q; expected %s", ErrRule, r.Flow, flows())
	case r.WithinDays < 0 || r.WithinDays > MaxDays:
		return fmt.Errorf("%w: %d days, expected 1 to %d: texts are known for no longer", ErrRule, r.WithinDays, MaxDays)
	}
	return nil
}

// flows lists what a condition may name.
func flows() string {
	names := []string{string(Any)}
	for _, key := range flow.Keys() {
		names = append(names, string(key))
	}
	return strings.Join(names, ", ")
}

// not returns the rule that holds if r does not.
func (r Rule) not() Rule {
	negated := Rule{Condition: r.Condition.not(), Flow: r.Flow, WithinDays: r.WithinDays}
	for _, part := range r.All {
		negated.Any = append(negated.Any, part.not())
	}
	for _, part := range r.Any {
		negated.All = append(negated.All, part.not())
	}
	return negated
}

func (c Condition) not() Condition {
	switch c {
	case Received:
		return NotReceived
	case NotReceived:
		return Received
	case Clicked:
		return NotClicked
	case NotClicked:
		return Clicked
	}
	return c
}

// maxName is the longest name of a segment.
const maxName = 40

// CheckName returns why a segment can't have a name, which is a part of a customer property's.
func CheckName(name string) error {
	const first, other = "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz0123456789_"
	if name == "" || len(name) > maxName || !strings.Contains(first, name[:1]) || strings.Trim(name, other) != "" {
		return fmt.Errorf("%w: name %q: expected up to %d of a-z, 0-9 and _, the first one a letter", ErrRule, name, maxName)
	}
	return nil
}
