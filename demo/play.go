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

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// player sends webhooks and follows each through the log by its traceparent.
type player struct {
	lab      *lab.Lab
	process  *lab.Process
	out      io.Writer
	sent     int
	accepted int
}

// settleWithin limits the time from the gateway's response to the last effect of a webhook.
const settleWithin = 15 * time.Second

func (p *player) play(ctx context.Context, n int, w lab.Webhook) error {
	w.Traceparent = fmt.Sprintf("00-%032x-%016x-01", n, n)
	tracked, dropped, texted := len(p.lab.Bloomreach.Received()), p.lab.Bloomreach.Deduplicated(), len(p.lab.Texts.Texts())
	status, answer, err := p.lab.Send(ctx, w)
	if err != nil {
		return err
	}
	p.sent++
	printf(p.out, "\n%2d  %-28s %s\n      -> %d %s\n", n, w.Topic, w.About, status, answer)
	if status != http.StatusOK {
		return nil
	}
	p.accepted++
	lines, err := p.settled(ctx, w.Traceparent)
	if err != nil {
		return fmt.Errorf("webhook %d (%s): %w", n, w.Topic, err)
	}
	slices.SortStableFunc(lines, func(a, b lab.Line) int { return strings.Compare(order(a.Role), order(b.Role)) })
	for _, line := range lines {
		printf(p.out, "      %s\n", outcome(line))
	}
	for _, command := range p.lab.Bloomreach.Received()[tracked:] {
		printf(p.out, "      bloomreach   got %s\n", delivered(command.Data))
	}
	for _, text := range p.lab.Texts.Texts()[texted:] {
		printf(p.out, "      sms gateway  got %s: %q\n", sms.Mask(text.To), text.Body)
	}
	if more := p.lab.Bloomreach.Deduplicated() - dropped; more > 0 {
		printf(p.out, "      bloomreach   dropped %d as duplicates\n", more)
	}
	return nil
}

// settled waits until the webhook and all of its outputs have an outcome.
func (p *player) settled(ctx context.Context, traceparent string) ([]lab.Line, error) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	for {
		lines, complete := follow(p.process.Lines(), traceparent)
		if complete {
			return lines, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("webhook not processed within %s; the log:\n%s", settleWithin, p.process.Output())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// follow returns the log lines of one webhook. It is complete if it has the transformer's line, one line for each output, and one for the end
// of its text, if one was planned, and for the receipt of that.
func follow(log []lab.Line, traceparent string) (lines []lab.Line, complete bool) {
	var f followed
	for _, line := range log {
		if line.Traceparent == traceparent {
			f.add(line)
		}
	}
	return f.lines, f.decided && f.missing == 0 && !f.planned && f.receipts >= 0
}

// followed is what the log says of a webhook.
type followed struct {
	lines    []lab.Line
	decided  bool
	missing  int  // outputs without an outcome
	planned  bool // a text has no end yet
	receipts int  // handled, less those of ended texts
}

func (f *followed) add(line lab.Line) {
	switch line.Message {
	case "text suppressed":
		f.planned = false
	case "text accepted", "text rejected", "text unknown":
		f.planned = false
		f.receipts--
	case "record handled":
		f.handled(line)
	}
}

func (f *followed) handled(line lab.Line) {
	if line.Type == envelope.TypeReceipt {
		f.receipts++
		return
	}
	f.lines = append(f.lines, line)
	switch {
	case line.Outcome == "parked": // replayed later, with another line
	case line.Role == string(topology.RoleTransformer):
		f.decided = true
		f.missing += line.Outputs
	default:
		f.missing--
		f.planned = f.planned || line.Type == envelope.TypeTrigger && line.Outcome == "done"
	}
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
