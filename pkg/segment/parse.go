package segment

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Form is the form of a text that Parse reads, for help.
const Form = `received any in 30d and not clicked charge_failed`

// Parse reads a rule. Its conditions are
//
//	[not] received FLOW [in Nd]
//	[not] clicked FLOW [in Nd]
//
// FLOW is a flow or "any", N a number of days. "in the last 30 days" is the same as "in 30d", and "ever" as nothing. Conditions are joined by "and" or by
// "or"; both together need parentheses. "not" before parentheses negates what they have. The error wraps ErrRule.
func Parse(text string) (Rule, error) {
	p := parser{words: scan(text)}
	rule, err := p.rule()
	if err == nil && p.next() != "" {
		err = p.unexpected("and, or, or the end")
	}
	if err != nil {
		return Rule{}, err
	}
	return rule, rule.Check()
}

// parser reads words from the left.
type parser struct {
	words []string
	at    int
	depth int
}

// next returns the next word, "" at the end.
func (p *parser) next() string {
	if p.at < len(p.words) {
		return p.words[p.at]
	}
	return ""
}

// take passes over the next word if it is one of these.
func (p *parser) take(words ...string) bool {
	if slices.Contains(words, p.next()) && p.next() != "" {
		p.at++
		return true
	}
	return false
}

// unexpected returns an error about the next word.
func (p *parser) unexpected(want string) error {
	what := strconv.Quote(p.next())
	if p.next() == "" {
		what = "the end"
	}
	after := ""
	if p.at > 0 {
		after = fmt.Sprintf(" after %q", strings.Join(p.words[max(0, p.at-3):p.at], " "))
	}
	return fmt.Errorf("%w: %s%s, expected %s", ErrRule, what, after, want)
}

// rule reads parts that are joined by one word.
func (p *parser) rule() (Rule, error) {
	first, err := p.part()
	joint := p.next()
	if err != nil || joint != "and" && joint != "or" {
		return first, err
	}
	parts := []Rule{first}
	for p.take(joint) {
		part, err := p.part()
		if err != nil {
			return Rule{}, err
		}
		parts = append(parts, part)
	}
	if other := p.next(); other == "and" || other == "or" {
		return Rule{}, fmt.Errorf("%w: %q and %q together need parentheses, such as (received any and not clicked any) or clicked charge_failed", ErrRule, joint, other)
	}
	if joint == "or" {
		return Rule{Any: joined(parts, func(r Rule) []Rule { return r.Any })}, nil
	}
	return Rule{All: joined(parts, func(r Rule) []Rule { return r.All })}, nil
}

// joined puts the rules of parts that are joined by the same word in the place of these parts.
func joined(parts []Rule, same func(Rule) []Rule) (flat []Rule) {
	for _, part := range parts {
		if inner := same(part); len(inner) > 0 {
			flat = append(flat, inner...)
			continue
		}
		flat = append(flat, part)
	}
	return flat
}

// part reads a condition, or a rule in parentheses.
func (p *parser) part() (Rule, error) {
	if p.take("not") {
		part, err := p.part()
		return part.not(), err
	}
	if !p.take("(") {
		return p.condition()
	}
	if p.depth++; p.depth > maxDepth {
		return Rule{}, fmt.Errorf("%w: more than %d parentheses in one another", ErrRule, maxDepth)
	}
	rule, err := p.rule()
	if p.depth--; err == nil && !p.take(")") {
		err = p.unexpected("and, or, or )")
	}
	return rule, err
}

func (p *parser) condition() (Rule, error) {
	r := Rule{Condition: Condition(p.next())}
	if !p.take(string(Received), string(Clicked)) {
		return Rule{}, p.unexpected("received, clicked or not, as in: " + Form)
	}
	r.Flow = flow.Key(p.next())
	if r.Flow != Any && !slices.Contains(flow.Keys(), r.Flow) {
		return Rule{}, p.unexpected("a flow: " + flows())
	}
	p.at++
	if p.take("ever") || !p.take("in") {
		return r, nil
	}
	var err error
	r.WithinDays, err = p.days()
	return r, err
}

// days reads a number of days: 30d, 30 days, the last 30 days.
func (p *parser) days() (int, error) {
	if p.take("the") {
		p.take("last")
	}
	number, short := strings.CutSuffix(p.next(), "d")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > MaxDays {
		return 0, p.unexpected(fmt.Sprintf("a number of days from 1d to %dd", MaxDays))
	}
	p.at++
	if !short && !p.take("d", "day", "days") {
		return 0, p.unexpected("days")
	}
	return n, nil
}
