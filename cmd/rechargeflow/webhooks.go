package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// webhooksDocs prints what becomes of each of Recharge's topics, docs/webhooks.md.
func webhooksDocs(_ context.Context, c call) int {
	o := newOptions(c)
	if code, ok := o.parseAlone(c); !ok {
		return code
	}
	if err := writeWebhooks(c.stdout); err != nil {
		say(c.stderr, "rechargeflow webhooks docs: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func writeWebhooks(w io.Writer) error {
	say(w, `# What becomes of each webhook

Written by `+"`make docs`"+`: what stands under *tracking*, *SMS flows* and *takes back* was found out by deciding on webhooks of
the topic; do not edit. Every webhook is kept in `+"`recharge.webhooks`"+`, used or not. What is tracked depends on the store's
settings, and nothing is told that was told before. *Assumed* marks what Recharge does not document.

Whatever the topic, a body that brings the customer along also tells a changed e-mail, name, phone or Shopify id
(`+"`customer_change`"+`, for shops on Shopify), and one that shows subscriptions the property `+"`recharge_subscription_active`"+`, which is
sent when it changes; where neither the body nor what is known decides it, all of the customer's subscriptions are asked for.
Topics that are not listed are skipped as `+"`topic_not_used`"+`, as those are that are not used.

| topic | tracking | SMS flows | takes back | why |
|---|---|---|---|---|
`)
	for _, topic := range recharge.Topics() {
		e, err := subscriber.Explain(topic)
		if err != nil {
			return fmt.Errorf("explain %s: %w", topic, err)
		}
		say(w, "| `%s` | %s | %s | %s | %s |\n", topic, strings.Join(e.Events, "<br>"), flowNames(e.Flows), flowNames(e.Revokes), because(e))
	}
	return nil
}

func flowNames(keys []flow.Key) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = "`" + string(key) + "`"
	}
	return strings.Join(names, "<br>")
}

func because(e subscriber.Explanation) string {
	text := e.Why
	if !subscriber.Uses(e.Topic) {
		text = "not used: " + text
	}
	for _, ask := range e.Asks {
		text += fmt.Sprintf(". The API may be asked (%s)", ask)
	}
	if e.Assumption != "" {
		text += ". *Assumed:* " + e.Assumption
	}
	return text
}
