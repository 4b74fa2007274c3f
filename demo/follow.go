package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// settled waits until webhooks and all of their outputs have an outcome.
func (p *player) settled(ctx context.Context, traces []string) (lines []lab.Line, err error) {
	return lines, p.await(ctx, "webhook not processed", func() (complete bool) {
		lines, complete = follow(p.process.Lines(), traces)
		return complete
	})
}

// await waits until a condition holds.
func (p *player) await(ctx context.Context, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s within %s; the log:\n%s", what, settleWithin, p.process.Output())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// follow returns the log lines of webhooks. It is complete if it has the transformer's line for each, one line for each output, and one for the
// end of their text, if one was planned, and for the receipt of that.
func follow(log []lab.Line, traces []string) (lines []lab.Line, complete bool) {
	f := followed{decided: map[string]bool{}}
	for _, line := range log {
		if slices.Contains(traces, line.Traceparent) {
			f.add(line)
		}
	}
	return f.lines, len(f.decided) == len(traces) && f.missing == 0 && !f.planned && f.receipts >= 0
}

// followed is what the log says of a webhook.
type followed struct {
	lines    []lab.Line
	decided  map[string]bool // webhooks, by traceparent
	missing  int             // outputs without an outcome
	planned  bool            // a text has no end yet
	receipts int             // handled, less those of ended texts
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
		f.decided[line.Traceparent] = true
		f.missing += line.Outputs
	default:
		f.missing--
		f.planned = f.planned || line.Type == envelope.TypeTrigger && line.Outcome == "done"
	}
}

// hasReceipt reports whether the text of webhooks was accepted, and its receipt handled.
func hasReceipt(log []lab.Line, traces []string) bool {
	var accepted, handled bool
	for _, line := range log {
		if slices.Contains(traces, line.Traceparent) {
			accepted = accepted || line.Message == "text accepted"
			handled = handled || line.Message == "record handled" && line.Type == envelope.TypeReceipt
		}
	}
	return accepted && handled
}
