package webhookdocs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// FlowsPage returns docs/flows.md: the table of flows, with the webhooks that fire and revoke each.
func FlowsPage() (string, error) {
	fire, revoke := make(map[flow.Key][]recharge.Topic), make(map[flow.Key][]recharge.Topic)
	for _, topic := range recharge.Topics() {
		e, err := Explain(topic)
		if err != nil {
			return "", fmt.Errorf("explain topic %s: %w", topic, err)
		}
		for _, key := range e.Flows {
			fire[key] = append(fire[key], topic)
		}
		for _, key := range e.Revokes {
			revoke[key] = append(revoke[key], topic)
		}
	}
	var page, names, planned strings.Builder
	page.WriteString(flowsIntroduction)
	names.WriteString(flowsTexts)
	planned.WriteString(flowsActions)
	for _, rule := range flow.Rules() {
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", rule.Flow,
			when([]flow.Happening{rule.FiredBy}, fire[rule.Flow])+perCharge(rule), when(rule.RevokedBy[:], revoke[rule.Flow]), outdated(rule.Stale), yes(rule.QuietHours))
		fmt.Fprintf(&names, "| `%s` | %s |\n", rule.Flow, ownNames(rule.Flow))
		fmt.Fprintf(&planned, "| `%s` | %s | %s |\n", rule.Flow, window(rule.Window), absorbed(rule.Absorbs))
	}
	return page.String() + names.String() + planned.String(), nil
}

const flowsIntroduction = `# Flows

Written by ` + "`make docs`" + ` from the table in [pkg/flow/rules.go](../pkg/flow/rules.go); do not edit. The names and texts of the
flows are in [configs/flows.yaml](../configs/flows.yaml). [webhooks.md](webhooks.md) lists the same by webhook.

- **Fired by**: what happened, then the webhooks that report it. After ` + "`charge/max_retries_reached`" + ` the subscriptions are
  looked up. A subscription that Recharge canceled then fires ` + "`subscription_canceled`" + ` too.
- **Revoked by**: later facts that make the text wrong, then the webhooks that report them. Each emits a revocation record. If such a
  fact is received before the trigger that it revokes, the trigger is skipped as ` + "`contradicted`" + `. A planned text
  whose triggers are all revoked is not sent (` + "`revoked`" + `). Nothing undoes a text that is on its way.
- **Not fired**: ` + "`charge_paid`" + ` for a charge of nothing (` + "`nothing_charged`" + `); ` + "`subscription_canceled`" + ` for a prepaid subscription that is
  canceled, and ` + "`subscription_expired`" + ` for one that expires, within a day of its creation, which is a gift that ends by itself
  (` + "`prepaid_gift`" + `); ` + "`charge_failed`" + ` if the last known error is one
  that the customer cannot fix (` + "`not_customer_fixable`" + `).
- **Switches**: ` + "`subscription/updated`" + ` fires ` + "`subscription_paused`" + ` only with ` + "`sms.pause_by_date`" + `, if the next charge moves by more than an interval
  and a week, and ` + "`subscription_resumed`" + ` only with ` + "`sms.resume_by_date`" + `, if the next charge of a paused subscription moves to an earlier
  day. Two skips that arrive in the wrong order look like a pause. ` + "`order/created`" + ` fires only with ` + "`sms.first_orders`" + `, for the order of a first
  checkout. ` + "`customer/created`" + ` fires only with ` + "`sms.new_accounts`" + `. All
  are off unless a store sets them.
- **Stale**: after this time the text is no longer worth sending: ` + "`stale`" + `.
- **Quiet hours**: flows with "yes" send no text from 20:00 to 09:00 by the clock of the customer, and in no window in which a US state forbids it.
  A text that is held back is checked again in the morning.

| flow | fired by | revoked by | stale | quiet hours |
|---|---|---|---|---|
`

const flowsTexts = `
## Who gets a text

The customer, never the person to whom their parcel goes.

- **Phone**: the customer's own, else that of the billing address, else that of a shipping address under the customer's first and last
  name. If the customer's own phone is unknown, they are looked up first, even if an address has a phone. Without any of them there is no
  text: ` + "`no_phone`" + `.
- **Country** of a phone without a country code: that of the address with the phone. For the customer's own phone it is that of the
  newest billing address, or of a shipping address under their name. If only the country of somebody else is known, or if a country
  is not recognized, only phones with a country code are used: ` + "`country_unknown`" + `. ` + "`sms.default_region`" + ` is for customers of whom no
  address names a country.
- **Name**: the customer's, else that of the billing address. A name with a link, an address or markup is left out, because anybody
  can sign up with it.

## What a text says

- Titles and reasons are plain words: HTML entities are decoded and tags removed. Events have them as Recharge does.
- ` + "`product_title`" + ` of several products is short: it names one or two and counts the rest, ` + "`Organic Et... and 3 more`" + `.
- ` + "`items`" + ` are the different products that a text is about: of all subscriptions of the action, of the charge, or of the order, without those
  that were canceled or skipped meanwhile. ` + "`{{ items | join: \", \" }}`" + ` names all, ` + "`items_summary`" + ` is ` + "`Coffee, Tea and 2 more`" + `, ` + "`items_count`" + ` is 4.
- ` + "`next_charge_date`" + ` is the day of a charge. Recharge sends no day of shipping: ` + "`order.scheduled_at`" + `, of a prepaid order, is the day when the
  shop gets the order.
- ` + "`total` and `subscription.price`" + ` are written as in English, with the decimals of their currency: ` + "`$1,249.90`, `€41.90`, `CA$41.90`, `¥1,200`, `SEK 399.00`, `KWD 12.000`" + `.
  A symbol that would make the text more expensive, such as ₩, is replaced by the code. ` + "`charge.total`" + ` is the number alone, for
  texts in other languages: ` + "`{{ charge.total }} kr`" + `.
- ` + "`charge.error`" + ` is why a payment failed: ` + "`your card has expired`" + `. It is unknown where the customer can't fix it, or where Recharge says
  no more than that it failed: ` + "`{{ charge.error | default: \"your payment failed\" }}`" + `.

All texts can use ` + "`first_name`, `shop_name`, `portal_url`, `activation_url`, `payment_url`" + ` and the properties of ` + "`shop` and `customer`" + `.
` + "`rechargeflow flows edit` and `flows apply`" + ` refuse a text with a value that the webhooks of its flow do not have. The other values, by flow:

| flow | values |
|---|---|
`

const flowsActions = `
## One text per action

Triggers of one flow, customer and address (or charge) that happened within the *window* are one text: a box of five that is canceled at once.
A flow that *absorbs* another one sends one text for the triggers of both, if both are active. A text is held back for the window,
so that others can join it, and spans ten minutes at most. What comes later than that is counted as ` + "`merged_late`" + ` and not texted.

| flow | window | absorbs |
|---|---|---|
`

// ownNames formats the names that a flow's text can use and not every other.
func ownNames(key flow.Key) string {
	everywhere := flow.SampleOf(flow.AboutCustomer).Known()
	names := slices.DeleteFunc(key.Names(), func(name string) bool { return slices.Contains(everywhere, name) })
	for i, name := range names {
		names[i] = "`" + name + "`"
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}

// when formats happenings, then the webhooks that show them.
func when(happenings []flow.Happening, topics []recharge.Topic) string {
	var lines []string
	for _, h := range happenings {
		if h != "" {
			lines = append(lines, h.Meaning())
		}
	}
	for _, topic := range topics {
		lines = append(lines, "`"+string(topic)+"`")
	}
	return strings.Join(lines, "<br>")
}

func perCharge(rule flow.Rule) string {
	if rule.PerCharge == 0 {
		return ""
	}
	return fmt.Sprintf("<br>at most %d for each charge", rule.PerCharge)
}

func outdated(s flow.Stale) string {
	after := fmt.Sprintf("after %d h", s.After/time.Hour)
	switch {
	case s.On == "":
		return after
	case s.After == 0:
		return "on the " + string(s.On)
	}
	return "on the " + string(s.On) + ", else " + after
}

func window(w time.Duration) string {
	if w == 0 {
		return "none"
	}
	return fmt.Sprintf("%d s", w/time.Second)
}

func absorbed(absorbs flow.Absorbed) string {
	var lines []string
	for _, a := range absorbs {
		if a.Flow != "" {
			lines = append(lines, fmt.Sprintf("`%s` of the %s", a.Flow, a.Scope))
		}
	}
	return strings.Join(lines, "<br>")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// WebhooksPage returns docs/webhooks.md: the outputs of each Recharge topic.
func WebhooksPage() (string, error) {
	var page strings.Builder
	page.WriteString(webhooksIntroduction)
	for _, topic := range recharge.Topics() {
		e, err := Explain(topic)
		if err != nil {
			return "", fmt.Errorf("explain topic %s: %w", topic, err)
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s | %s |\n", topic, strings.Join(e.Events, "<br>"), facts(e), flowNames(e.Flows), flowNames(e.Revokes), because(e))
	}
	return page.String(), nil
}

const webhooksIntroduction = `# What each webhook produces

Written by ` + "`make docs`" + `; do not edit. The columns *tracking*, *facts*, *SMS flows* and *revokes* list what sample webhooks of each topic produced.
Every webhook is stored in ` + "`recharge.webhooks`" + `, used or not. Which events are sent depends on the store's settings. No fact is
emitted twice. *Assumed* marks what Recharge does not document. [flows.md](flows.md) lists the same by flow.

Two outputs do not depend on the topic:

- ` + "`customer_change`" + `: when the body includes the customer, and the e-mail, name, phone or Shopify ID changed (only Shopify shops)
- the property ` + "`recharge_subscription_active`" + `: when its value changes. If neither the body nor the state shows the value, all
  subscriptions of the customer are looked up

*Facts* are records of ` + "`recharge.facts`" + `. A webhook of a subscription that differs from what was known of it is also the fact ` + "`changed`" + `, or
` + "`swapped`" + ` if it has another product. *charge* means that the webhook can write a row of ` + "`recharge.charges`" + `. Webhooks of subscriptions and
customers write the rows of ` + "`recharge.subscriptions` and `recharge.customers`" + `.

A listed topic that is not used is skipped as ` + "`topic_not_used`" + `, any other as ` + "`topic_unknown`" + `: its webhook was registered with a
mistyped address.

| topic | tracking | facts | SMS flows | revokes | why |
|---|---|---|---|---|---|
`

// facts formats the facts of a topic, and whether it writes a row of a charge.
func facts(e Explanation) string {
	names := slices.Clone(e.Facts)
	if e.Charges {
		names = append(names, "*charge*")
	}
	return strings.Join(names, "<br>")
}

func flowNames(keys []flow.Key) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = "`" + string(key) + "`"
	}
	return strings.Join(names, "<br>")
}

func because(e Explanation) string {
	text := e.Why
	if !subscriber.AllSwitches().Uses(e.Topic) {
		text = "not used: " + text
	}
	for _, kind := range e.Lookups {
		text += fmt.Sprintf(". May request a lookup (`%s`)", kind)
	}
	if e.Assumption != "" {
		text += ". *Assumed:* " + e.Assumption
	}
	return text
}
