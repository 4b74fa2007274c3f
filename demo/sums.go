package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/rechargeflow/rechargeflow/pipeline"
)

// term is a number with its name.
type term struct {
	what  string
	count int
}

// sum is two ways to count the same, each from its own source.
type sum struct{ left, right []term }

// holds tells whether both come to the same.
func (s sum) holds() bool { return added(s.left) == added(s.right) }

func added(terms []term) int {
	n := 0
	for _, t := range terms {
		n += t.count
	}
	return n
}

// String is such as "25 sent = 22 accepted + 3 refused".
func (s sum) String() string {
	equals := " = "
	if !s.holds() {
		equals = " is not "
	}
	return side(s.left) + equals + side(s.right)
}

func side(terms []term) string {
	texts := make([]string, len(terms))
	for i, t := range terms {
		texts[i] = strings.TrimSpace(fmt.Sprintf("%d %s", t.count, t.what))
	}
	return strings.Join(texts, " + ")
}

// sums are what must hold.
func (a *account) sums() []sum {
	fates := func(role pipeline.Role) []term {
		return []term{
			{"done", a.total(string(role) + " done")},
			{"skipped", a.total(string(role) + " skipped")},
			{"rejected by role " + string(role), a.total(string(role) + " rejected")},
		}
	}
	one := func(what string, count int) []term { return []term{{what, count}} }
	return []sum{
		{one("webhooks sent", a.sent), []term{{"accepted", a.total("gateway accepted")}, {"refused by the gateway", a.total("gateway refused")}}},
		{one("records in recharge.webhooks", a.webhooks), []term{{"answered with 200", a.accepted}, {"answers of recharge's api", a.lookups}}},
		{one("records in recharge.webhooks", a.webhooks), fates(pipeline.RoleTransformer)},
		{one("records in recharge.events", a.events), fates(pipeline.RoleTracking)},
		{one("records in recharge.sms-triggers", a.triggers), fates(pipeline.RoleSMS)},
		{one("commands that reached bloomreach", a.tracked), one("done by role tracking", a.total("tracking done"))},
		{one("texts that reached the sms gateway", a.texts), one("done by role sms", a.total("sms done"))},
		{one("texts sent twice", a.doubled), one("", 0)},
		{one("customers left active who are not", a.stillActive), one("", 0)},
		{one("dead letters", a.deadLetter), []term{
			{"rejected by role transformer", a.total("transformer rejected")},
			{"by role tracking", a.total("tracking rejected")},
			{"by role sms", a.total("sms rejected")},
		}},
	}
}

// check prints what must hold, and fails when something does not.
func (a *account) check(out io.Writer) error {
	say(out, "\nwhat must balance\n%s\n", strings.Repeat("-", 50))
	failed := 0
	for _, s := range a.sums() {
		if !s.holds() {
			failed++
			say(out, "DOES NOT BALANCE: ")
		}
		say(out, "%v\n", s)
	}
	if failed > 0 {
		return fmt.Errorf("%d sums do not balance", failed)
	}
	say(out, "\neverything balances: every webhook and every record has exactly one fate\n")
	return nil
}
