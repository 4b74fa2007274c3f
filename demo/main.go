// Command demo shows the whole pipeline at work on one machine, with no account
// and no Docker: it starts rechargeflow with its embedded broker between
// simulators of Recharge, Bloomreach and an SMS gateway, sends a customer's
// webhooks to the gateway, prints the outcome of each, and ends with a table
// that must balance.
//
//	main.go     flags, start and end
//	play.go     one webhook after the other, and its effects
//	balance.go  the table: topics, simulators and counters
//	sums.go     that they agree
//	script.txtar  the webhooks
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rechargeflow/rechargeflow/test/lab"
)

//go:embed script.txtar
var webhooks []byte

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

const stopWithin = 30 * time.Second

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
	// all flows that can be active without quiet hours
	l.Flows = []string{
		"subscription_started", "subscription_paused", "subscription_canceled",
		"charge_will_be_retried", "charge_failed", "charge_paid", "customer_account_activation",
	}
	script, err := lab.ParseScript(webhooks, time.Now())
	if err != nil {
		return err
	}
	for id, body := range script.Customers {
		l.API.PutCustomer(id, body)
	}
	printf(out, "starting rechargeflow with an embedded broker, and simulators of Recharge, Bloomreach and an SMS gateway\n")
	process, err := l.Start(ctx)
	if err != nil {
		return err
	}
	defer process.Kill()
	if err := show(ctx, out, l, process, script); err != nil {
		return err
	}
	if keep {
		leaveRunning(ctx, out, l, process)
	}
	return process.Stop(stopWithin)
}

// show plays the script and checks the balance.
func show(ctx context.Context, out io.Writer, l *lab.Lab, process *lab.Process, script lab.Script) error {
	p := player{lab: l, process: process, out: out}
	for i, w := range script.Webhooks {
		if err := p.play(ctx, i+1, w); err != nil {
			return err
		}
	}
	return balance(ctx, out, l, process, p)
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
`, l.Gateway, lab.Store, l.Admin, l.Embedded, filepath.Join(l.Dir, "rechargeflow.yaml"), l.Gateway, lab.Store, lab.Secret)
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
