package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// player sends webhooks and follows each through the log by its traceparent.
type player struct {
	lab      *lab.Lab
	process  *lab.Process
	out      io.Writer
	metrics  []string // pages of the processes that have ended
	sent     int
	accepted int
}

// settleWithin limits the time from the gateway's response to the last effect of a webhook.
const settleWithin = 15 * time.Second

// playScript plays a file of webhooks. One without a description is sent together with the one before.
func (p *player) playScript(ctx context.Context, name string) error {
	script, err := p.script(name)
	if err != nil {
		return err
	}
	for i := 0; i < len(script.Webhooks); {
		end := i + 1
		for end < len(script.Webhooks) && script.Webhooks[end].About == "" {
			end++
		}
		if err := p.play(ctx, script.Webhooks[i:end]); err != nil {
			return err
		}
		i = end
	}
	return nil
}

// script reads a file of webhooks, and gives its customers to Recharge's API.
func (p *player) script(name string) (lab.Script, error) {
	raw, err := scripts.ReadFile(name)
	if err != nil {
		return lab.Script{}, fmt.Errorf("read script: %w", err)
	}
	script, err := lab.ParseScript(raw, p.lab.Now())
	for id, body := range script.Customers {
		p.lab.API.PutCustomer(id, body)
	}
	return script, err
}

// play sends webhooks that arrive together, and prints their effects.
func (p *player) play(ctx context.Context, webhooks []lab.Webhook) error {
	tracked, dropped, texted := len(p.lab.Bloomreach.Received()), p.lab.Bloomreach.Deduplicated(), len(p.lab.Texts.Texts())
	traces, err := p.send(ctx, webhooks)
	if err != nil || len(traces) == 0 {
		return err
	}
	lines, err := p.settled(ctx, traces)
	if err != nil {
		return fmt.Errorf("webhook %d (%s): %w", p.sent, webhooks[0].Topic, err)
	}
	slices.SortStableFunc(lines, func(a, b lab.Line) int { return strings.Compare(order(a.Role), order(b.Role)) })
	for _, line := range lines {
		printf(p.out, "      %s\n", outcome(line))
	}
	for _, command := range p.lab.Bloomreach.Received()[tracked:] {
		printf(p.out, "      bloomreach   got %s\n", delivered(command.Data))
	}
	p.printTexts(texted)
	if more := p.lab.Bloomreach.Deduplicated() - dropped; more > 0 {
		printf(p.out, "      bloomreach   dropped %d as duplicates\n", more)
	}
	return nil
}

// printTexts prints the texts that arrived after so many.
func (p *player) printTexts(before int) {
	for _, text := range p.lab.Texts.Texts()[before:] {
		printf(p.out, "      sms gateway  got %s: %q\n", sms.Mask(text.To), text.Body)
	}
}

// send sends webhooks, and returns the traceparents of those that were accepted.
func (p *player) send(ctx context.Context, webhooks []lab.Webhook) (traces []string, err error) {
	printf(p.out, "\n")
	for _, w := range webhooks {
		p.sent++
		w.Traceparent = fmt.Sprintf("00-%032x-%016x-01", p.sent, p.sent)
		status, answer, err := p.lab.Send(ctx, w)
		if err != nil {
			return nil, err
		}
		printf(p.out, "%2d  %-28s %s\n      -> %d %s\n", p.sent, w.Topic, w.About, status, answer)
		if status == http.StatusOK {
			p.accepted++
			traces = append(traces, w.Traceparent)
		}
	}
	return traces, nil
}

// delivered describes a Bloomreach command in a few words.
func delivered(raw []byte) string {
	var command struct {
		CustomerIDs map[string]string `json:"customer_ids"`
		EventType   string            `json:"event_type"`
		Properties  map[string]any    `json:"properties"`
	}
	if err := json.Unmarshal(raw, &command); err != nil {
		return err.Error()
	}
	if command.EventType == "" {
		return fmt.Sprintf("%s of customer %s", listed(command.Properties), listed(command.CustomerIDs))
	}
	if status, ok := command.Properties["status"]; ok {
		command.EventType += fmt.Sprintf(" status=%v", status)
	}
	return fmt.Sprintf("event %s of customer %s", command.EventType, listed(command.CustomerIDs))
}

// listed formats a JSON object as name=value pairs, sorted by name.
func listed[V any](object map[string]V) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		all = append(all, fmt.Sprintf("%s=%v", name, object[name]))
	}
	return strings.Join(all, ", ")
}

// outcome describes a log line in words.
func outcome(line lab.Line) string {
	what := strings.TrimPrefix(line.Type, "rechargeflow.")
	text := fmt.Sprintf("%-12s %s", line.Role, line.Outcome)
	switch {
	case line.Role == "transformer" && line.Outputs > 0:
		text += fmt.Sprintf(": %d records written", line.Outputs)
	case line.Outcome == "done":
		text += ": " + what
	case what != "":
		text += fmt.Sprintf(": %s, %s", what, line.Reason)
	default:
		text += ": " + line.Reason
	}
	if line.Error != "" {
		text += " (" + line.Error + ")"
	}
	return text
}
