// Command demo shows the whole pipeline at work on one machine, with no account
// and no Docker: it starts rechargeflow with its embedded broker between
// simulators of Recharge, Bloomreach and an SMS gateway, sends a customer's
// webhooks to the gateway, prints the outcome of each, and ends with a table
// that must balance. The clock of rechargeflow is moved, so that it shows a day and a night.
//
//	main.go       flags, start and end
//	acts.go       the day, the night and the morning: restarts with a moved clock
//	play.go       one webhook after the other, and its effects
//	follow.go     the effects of webhooks in the log
//	balance.go    the table: topics, simulators and counters
//	sums.go       that they agree
//	script.txtar  the webhooks of two customers
//	box.txtar     those of a customer who cancels a box of five
//	night.txtar   one at night
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

//go:embed script.txtar box.txtar night.txtar
var scripts embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	binary := flag.String("binary", "", "the rechargeflow `binary` to run")
	keep := flag.Bool("keep", false, "leave it running for curl until interrupted")
	flag.Parse()
	if err := demo(ctx, os.Stdout, *binary, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

// demo runs the acts of the demo, and checks the balance at the end.
func demo(ctx context.Context, out io.Writer, binary string, keep bool) (err error) {
	dir, err := os.MkdirTemp("", "rechargeflow-demo-")
	if err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := lab.New(dir, binary)
	if err != nil {
		return err
	}
	defer l.Close()
	for _, key := range flow.Keys() {
		l.Flows = append(l.Flows, string(key))
	}
	l.Window = "1s"
	p := player{lab: l, out: out}
	defer p.kill()
	if err := p.acts(ctx); err != nil {
		return err
	}
	if keep {
		leaveRunning(ctx, out, l, p.process)
	}
	return p.stop(ctx)
}

// acts plays a day, a night and a morning, and prints the balance.
func (p *player) acts(ctx context.Context) error {
	if err := p.day(ctx); err != nil {
		return err
	}
	if err := p.night(ctx); err != nil {
		return err
	}
	return balance(ctx, p)
}

func leaveRunning(ctx context.Context, out io.Writer, l *lab.Lab, process *lab.Process) {
	printf(out, `
left running until you press Ctrl-C; the outcome of your webhooks is printed here:
  webhooks   http://%s/webhooks/%s/{resource}/{action}
  operators  http://%s/metrics  /readyz  /healthz  /version
  kafka      %s
try:
  .bin/rechargeflow lag --config %s
  body='{"customer":{"id":7,"email":"you@example.com","external_customer_id":{"ecommerce":"1"},"subscriptions_active_count":0,"updated_at":"2026-01-01T00:00:00+00:00"}}'
  curl -i http://%s/webhooks/%s/customer/updated -H 'Content-Type: application/json' -d "$body" \
    -H "X-Recharge-Hmac-Sha256: $(printf '%%s%%s' %s "$body" | sha256sum | cut -d' ' -f1)"

console: http://%s
`, l.Gateway, lab.Store, l.Admin, l.Embedded, filepath.Join(l.Dir, "rechargeflow.yaml"), l.Gateway, lab.Store, lab.Secret, l.Console)
	printOutcomes(ctx, out, process)
}

// printOutcomes prints the outcome of every further record until ctx ends.
func printOutcomes(ctx context.Context, out io.Writer, process *lab.Process) {
	printed := len(process.Lines())
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		lines := process.Lines()
		for _, line := range lines[printed:] {
			switch line.Message {
			case "webhook accepted", "webhook refused":
				printf(out, "\n%s: %s %s\n", line.Message, line.Recharge, line.Reason)
			case "record handled":
				printf(out, "      %s\n", outcome(line))
			}
		}
		printed = len(lines)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func printf(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(out, format, args...) // a terminal that is gone needs no demo
}
