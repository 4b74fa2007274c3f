package command

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Page returns docs/tracking.md: each event, status and attribute that Bloomreach can receive. Names, types and examples are those of
// commands that [Of] made from sample events.
func Page() (string, error) {
	var page strings.Builder
	page.WriteString(introduction)
	for _, section := range sections() {
		fmt.Fprintf(&page, "\n## `%s`\n\n%s\n\n| attribute | type | meaning | example | from Recharge's |\n|---|---|---|---|---|\n", section.title, section.text)
		rows, err := rowsOf(section.samples)
		if err != nil {
			return "", fmt.Errorf("describe %s: %w", section.title, err)
		}
		for _, row := range rows {
			page.WriteString(row)
		}
	}
	page.WriteString(recipes)
	return page.String(), nil
}

// section is a part of the page about one type of event.
type section struct {
	title, text string
	samples     []subscriber.Event
}

// rowsOf returns a row for each attribute of the samples.
func rowsOf(samples []subscriber.Event) ([]string, error) {
	values := map[string]any{}
	for _, sample := range samples {
		c, err := Of("sample", map[string]string{"registered": "jo.bean@example.com"}, sample)
		if err != nil {
			return nil, err
		}
		var data struct{ Properties map[string]any }
		if err := json.Unmarshal(c.Data, &data); err != nil {
			return nil, fmt.Errorf("decode command: %w", err)
		}
		for name, value := range data.Properties {
			if _, known := values[name]; !known {
				values[name] = value
			}
		}
	}
	var rows []string
	for _, m := range meanings() {
		value, sent := values[m.name]
		if !sent {
			continue
		}
		delete(values, m.name)
		example, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("encode example: %w", err)
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | `%s` | %s |\n", m.name, m.typeOf(value), m.meaning, example, m.source))
	}
	for name := range values {
		return nil, fmt.Errorf("attribute %s has no meaning in the table", name)
	}
	return rows, nil
}

// typeOf names the type of an attribute as Bloomreach does.
func (m meaning) typeOf(value any) string {
	switch v := value.(type) {
	case bool:
		return "boolean"
	case float64:
		if strings.HasSuffix(m.name, "_at") {
			return "date"
		}
		return "number"
	case []any:
		if _, objects := v[0].(map[string]any); objects {
			return "list of objects"
		}
		return "list of texts"
	}
	return "text"
}

// sections returns the parts of the page, with samples in which every attribute has a value.
func sections() []section {
	at := time.Date(2026, 12, 28, 15, 4, 5, 0, time.UTC)
	return []section{{
		"subscription", "A subscription was `created`, `activated`, `canceled` or `deleted`: these four statuses are always tracked. With `bloomreach.extras` also " +
			statuses(subscriber.StatusPaused, subscriber.StatusResumed, subscriber.StatusSkipped, subscriber.StatusUnskipped, subscriber.StatusSwapped, subscriber.StatusChanged, subscriber.StatusExpired) +
			". Attributes that begin with `previous_` are the values before a change.",
		[]subscriber.Event{subscriptionSample(at)},
	}, {
		"subscription_charge", "A charge was `created` or `paid`: these two statuses are always tracked. With `bloomreach.extras` also " +
			statuses(subscriber.StatusUpcoming, subscriber.StatusFailed, subscriber.StatusGaveUp, subscriber.StatusRefunded, subscriber.StatusOrderProcessed) +
			". `order_processed`, and `upcoming` of a prepaid order, are about an order and have its attributes.",
		[]subscriber.Event{chargeSample(at), orderSample(at)},
	}, {
		"customer_change", "The e-mail, the name, the phone number or the shop's ID of a customer changed. Only for customers that the shop platform knows.",
		[]subscriber.Event{changeSample(at)},
	}, {
		"Customer properties", "`recharge_subscription_active` is sent when its value changes, unless the store has `active_property: false`. After a changed e-mail it is sent for the new profile, too, " +
			"and the old profile gets FALSE. A customer about whom nothing is known yet has no value. The other properties are sent if `bloomreach.profile` lists them, when one of them changes.",
		[]subscriber.Event{propertySample(at), profileSample(at)},
	}}
}

func statuses(list ...string) string {
	quoted := make([]string, len(list))
	for i, status := range list {
		quoted[i] = "`" + status + "`"
	}
	return strings.Join(slices.Concat(quoted[:len(quoted)-2], []string{quoted[len(quoted)-2] + " and " + quoted[len(quoted)-1]}), ", ")
}

const introduction = `# What Bloomreach receives

Written by ` + "`make docs`" + ` from the mapping that runs, [pkg/bloomreach/command](../pkg/bloomreach/command/command.go); do not edit.
For marketers: the events, their attributes and the customer properties that campaigns can use. [webhooks.md](webhooks.md) says which webhook
gives which event.

An attribute without a value is left out. The time of an event is when it happened at Recharge. Dates are UNIX seconds, and days are texts such as
` + "`2026-12-28`" + `, in US Eastern time as at Recharge. Amounts are numbers in ` + "`local_currency`" + `.

What happens to a subscription or a charge and has another status than those below is not sent. A store lists in ` + "`bloomreach.extras`" + ` what it wants
besides: ` + "`extras: [upcoming, failed, skipped]`" + `. A store that sends to Bloomreach already gets
what happens from then on; a new one also gets what its topics still have, 90 days of events and 400 days of facts, with their times.

**Which customer.** ` + "`customer_id`" + ` of the store selects the ID: ` + "`email`" + ` (trimmed, lower case) or ` + "`recharge_id`" + `. ` + "`bloomreach.customer_id_name`" + ` is
its name in your project, ` + "`registered`" + ` by default. If the project has another ID for the other of the two, ` + "`bloomreach.second_id_name`" + ` names it.
A profile that Bloomreach has not seen before has an ID and no e-mail property: ` + "`bloomreach.profile: [email]`" + ` sends it.

**Repeated events.** Bloomreach drops an event that has the time and the attributes of another one of the same customer, so an event that is sent again
after a failure counts once. A scenario that it triggers may run twice.

**Order.** Bloomreach orders a customer's events by their time. Recharge's times are whole seconds, so events of the same second, such as
` + "`created` and `paid`" + ` of a checkout, may be in any order.

**Long values** are cut to Bloomreach's limit of 16 KB: a text at a character, a list at a whole element. ` + "`{name}_truncated`" + ` is TRUE then, and
` + "`{name}_omitted`" + ` is the number of elements that are left out.
`
