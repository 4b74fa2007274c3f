package subscriber

import (
	"fmt"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// WebhooksPage returns docs/webhooks.md: the outputs of each Recharge topic.
func WebhooksPage() (string, error) {
	var page strings.Builder
	page.WriteString(webhooksIntroduction)
	for _, topic := range recharge.Topics() {
		e, err := Explain(topic)
		if err != nil {
			return "", fmt.Errorf("explain topic %s: %w", topic, err)
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", topic, strings.Join(e.Events, "<br>"), flowNames(e.Flows), flowNames(e.Revokes), because(e))
	}
	return page.String(), nil
}

const webhooksIntroduction = `# What each webhook produces

Written by ` + "`make docs`" + `; do not edit. The columns *tracking*, *SMS flows* and *revokes* list what sample webhooks of each topic produced.
Every webhook is stored in ` + "`recharge.webhooks`" + `, used or not. Which events are sent depends on the store's settings. No fact is
emitted twice. *Assumed* marks what Recharge does not document. [flows.md](flows.md) lists the same by flow.

Two outputs do not depend on the topic:

- ` + "`customer_change`" + `: when the body includes the customer, and the e-mail, name, phone or Shopify ID changed (only Shopify shops)
- the property ` + "`recharge_subscription_active`" + `: when its value changes. If neither the body nor the state shows the value, all
  subscriptions of the customer are looked up

A listed topic that is not used is skipped as ` + "`topic_not_used`" + `, any other as ` + "`topic_unknown`" + `: its webhook was registered with a
mistyped address.

| topic | tracking | SMS flows | revokes | why |
|---|---|---|---|---|
`

func flowNames(keys []flow.Key) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = "`" + string(key) + "`"
	}
	return strings.Join(names, "<br>")
}

func because(e Explanation) string {
	text := e.Why
	if !Uses(e.Topic) {
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
