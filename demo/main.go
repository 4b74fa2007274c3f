// Command demo shows the whole pipeline at work on one machine, with no account
// and no Docker: it starts rechargeflow with its embedded broker between
// simulators of Recharge, Bloomreach and an SMS gateway, sends a subscriber's
// life through the HTTP door, tells what became of every webhook, and ends with
// a table that must balance.
//
//	main.go     flags, start and end
//	play.go     one webhook after the other, and what each set off
//	balance.go  the table: topics, simulators and counters
//	sums.go     that they agree
//	life.txtar  the webhooks
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

//go:embed life.txtar
var life []byte

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
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := lab.New(dir, binary)
	if err != nil {
		return err
	}
	defer l.Close()
	// every flow that may be switched on without quiet hours
	l.Flows = []string{
		"subscription_started", "subscription_paused", "subscription_canceled",
		"charge_will_be_retried", "charge_failed", "charge_paid", "customer_account_activation",
	}
	script, err := lab.ParseScript(life, time.Now())
	if err != nil {
		return err
	}
	for id, body := range script.Customers {
		l.API.PutCustomer(id, body)
	}
	say(out, "starting rechargeflow with an embedded broker, and simulators of Recharge, Bloomreach and an SMS gateway\n")
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
	say(out, `
left running until you press Ctrl-C; what becomes of your webhooks is told here:
  webhooks   http://%s/webhooks/%s/{resource}/{action}
  operators  http://%s/metrics  /readyz  /healthz  /version
  kafka      %s
try:
  .bin/rechargeflow lag -config %s
  body='{"customer":{"id":7,"email":"you@example.com","external_customer_id":{"ecommerce":"1"},"subscriptions_active_count":0,"updated_at":"2026-01-01T00:00:00+00:00"}}'
  curl -i http://%s/webhooks/%s/customer/updated -H 'Content-Type: application/json' -d "$body" \
    -H "X-Recharge-Hmac-Sha256: $(printf '%%s%%s' %s "$body" | sha256sum | cut -d' ' -f1)"
`, l.Gateway, lab.Store, l.Admin, l.Embedded, filepath.Join(l.Dir, "rechargeflow.yaml"), l.Gateway, lab.Store, lab.Secret)
	tell(ctx, out, process)
}

// tell prints what becomes of every further record until ctx ends.
func tell(ctx context.Context, out io.Writer, process *lab.Process) {
	told := len(process.Lines())
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		lines := process.Lines()
		for _, line := range lines[told:] {
			switch line.Message {
			case "webhook accepted", "webhook refused":
				say(out, "\n%s: %s %s\n", line.Message, line.Recharge, line.Reason)
			case "record settled":
				say(out, "      %s\n", fate(line))
			}
		}
		told = len(lines)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func say(out io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(out, format, args...) // a terminal that is gone needs no demo
}
