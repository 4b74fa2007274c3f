package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// term is a count and what was counted.
type term struct {
	what  string
	count int
}

// sum is an equation between counts from two sources.
type sum struct{ left, right []term }

// holds reports whether both sides are equal.
func (s sum) holds() bool { return added(s.left) == added(s.right) }

func added(terms []term) int {
	n := 0
	for _, t := range terms {
		n += t.count
	}
	return n
}

// String returns the equation, such as "25 sent = 22 accepted + 3 refused".
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

// sums returns the equations to check.
func (a *account) sums() []sum {
	outcomes := func(role topology.Role) []term {
		return []term{
			{"done", a.total(string(role) + " done")},
			{"skipped", a.total(string(role) + " skipped")},
			{"rejected by role " + string(role), a.total(string(role) + " rejected")},
		}
	}
	one := func(what string, count int) []term { return []term{{what, count}} }
	return []sum{
		{one("webhooks sent", a.sent), []term{{"accepted", a.total("gateway accepted")}, {"refused by the gateway", a.total("gateway refused")}}},
		{one("records in recharge.webhooks", a.webhooks), []term{{"answered with 200", a.accepted}, {"answers of recharge's api", a.lookups}, {"records of the transformer for itself", a.internal}}},
		{one("records in recharge.webhooks", a.webhooks), outcomes(topology.RoleTransformer)},
		{one("records in recharge.events", a.events), outcomes(topology.RoleTracking)},
		{[]term{{"records in recharge.sms-triggers", a.triggers}, {"in recharge.sms-receipts", a.receipts}}, outcomes(topology.RoleSMS)},
		{one("commands that reached bloomreach", a.tracked), one("done by role tracking", a.total("tracking done"))},
		{one("texts that reached the sms gateway", a.texts), one("accepted texts in recharge.messages", a.total("text accepted"))},
		{one("texts sent twice", a.doubled), one("", 0)},
		{one("customers left active who are not", a.stillActive), one("", 0)},
		{one("dead letters", a.deadLetter), []term{
			{"rejected by role transformer", a.total("transformer rejected")},
			{"by role tracking", a.total("tracking rejected")},
			{"by role sms", a.total("sms rejected")},
		}},
	}
}

// check prints the equations, and fails if one does not hold.
func (a *account) check(out io.Writer) error {
	printf(out, "\nwhat must balance\n%s\n", strings.Repeat("-", 50))
	failed := 0
	for _, s := range a.sums() {
		if !s.holds() {
			failed++
			printf(out, "DOES NOT BALANCE: ")
		}
		printf(out, "%v\n", s)
	}
	if failed > 0 {
		return fmt.Errorf("%d sums do not balance", failed)
	}
	printf(out, "\neverything balances: every webhook and every record has exactly one outcome\n")
	return nil
}
