package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const stopWithin = 30 * time.Second

// start starts the process, whose clock shows a time.
func (p *player) start(ctx context.Context, clock time.Time) (err error) {
	p.lab.ClockOffset = time.Until(clock).Round(time.Second)
	p.process, err = p.lab.Start(ctx)
	return err
}

// stop stops the process, and keeps its counters.
func (p *player) stop(ctx context.Context) error {
	page, err := p.process.Metrics(ctx)
	if err != nil {
		return fmt.Errorf("read metrics: %w", err)
	}
	p.metrics = append(p.metrics, page)
	return p.process.Stop(stopWithin)
}

func (p *player) kill() {
	if p.process != nil {
		p.process.Kill()
	}
}

// restart stops the process and starts it with a clock that shows another time.
func (p *player) restart(ctx context.Context, clock time.Time) error {
	if err := p.stop(ctx); err != nil {
		return err
	}
	return p.start(ctx, clock)
}

// portland is where the customers live.
func portland() (*time.Location, error) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		return nil, fmt.Errorf("load time zone: %w", err)
	}
	return zone, nil
}

// day starts rechargeflow at noon where the customers live, and plays what happens by day.
func (p *player) day(ctx context.Context) error {
	zone, err := portland()
	if err != nil {
		return err
	}
	today := time.Now().In(zone)
	printf(p.out, `starting rechargeflow with an embedded broker, and simulators of Recharge, Bloomreach and an SMS gateway
two settings are those of a trial: texts wait 1 s for others of the same action (sms.window), not a minute,
and the clock of rechargeflow shows noon in Portland, Oregon, where the customers live (embedded.clock_offset)
`)
	if err := p.start(ctx, time.Date(today.Year(), today.Month(), today.Day(), 12, 0, 0, 0, zone)); err != nil {
		return err
	}
	if err := p.playScript(ctx, "script.txtar"); err != nil {
		return err
	}
	printf(p.out, "\na box of five is canceled at once: one action, one text\n")
	return p.playScript(ctx, "box.txtar")
}

// night plays a webhook at ten in the evening, whose text is held back, and its release at nine in the morning.
func (p *player) night(ctx context.Context) error {
	zone, err := portland()
	if err != nil {
		return err
	}
	today := p.lab.Now().In(zone)
	printf(p.out, "\nnow it is ten in the evening: rechargeflow is stopped, and started with that clock\n")
	if err := p.restart(ctx, time.Date(today.Year(), today.Month(), today.Day(), 22, 0, 0, 0, zone)); err != nil {
		return err
	}
	script, err := p.script("night.txtar")
	if err != nil {
		return err
	}
	traces, err := p.send(ctx, script.Webhooks)
	if err != nil {
		return err
	}
	held, err := p.heldBack(ctx)
	if err != nil {
		return err
	}
	printf(p.out, "      sms          %s is held back until %s\n", held.Flow, held.ReleaseAt.In(zone).Format("15:04 MST"))
	return p.morning(ctx, held.ReleaseAt.In(zone), traces)
}

// morning starts rechargeflow at the time at which a text is due that was held back.
func (p *player) morning(ctx context.Context, due time.Time, traces []string) error {
	printf(p.out, "\nnow it is %s: rechargeflow is stopped, and started with that clock\n", due.Format("15:04"))
	before := len(p.lab.Texts.Texts())
	if err := p.restart(ctx, due); err != nil {
		return err
	}
	err := p.await(ctx, "text not sent", func() bool { return hasReceipt(p.process.Lines(), traces) })
	p.printTexts(before)
	return err
}

// heldBack waits for a text that is held back.
func (p *player) heldBack(ctx context.Context) (held message.Change, err error) {
	waitErr := p.await(ctx, "no text was held back", func() bool {
		var records []kafka.Record
		for r, failed := range kafka.Scan(ctx, kafka.Cluster{Brokers: []string{p.lab.Embedded}}, topology.Topics{}.Messages(), time.Time{}) {
			if failed != nil {
				err = failed
				return true
			}
			records = append(records, r)
		}
		var found bool
		held, found, err = heldIn(records)
		return found || err != nil
	})
	if waitErr != nil {
		return held, waitErr
	}
	return held, err
}

// heldIn returns the message that is held back.
func heldIn(records []kafka.Record) (held message.Change, found bool, err error) {
	all, err := lab.Messages(records)
	for _, m := range all {
		if m.Status == message.Planned && m.Deferred {
			return m, true, nil
		}
	}
	return held, false, err
}
