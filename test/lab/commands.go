package lab

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// ApplyTopics creates the topics on the lab's brokers, and activates Flows.
func (l *Lab) ApplyTopics(ctx context.Context) error {
	if _, err := l.Run(ctx, "topics", "apply"); err != nil {
		return err
	}
	return l.ActivateFlows(ctx)
}

// ActivateFlows activates Flows, in Store without a limit of texts per day.
func (l *Lab) ActivateFlows(ctx context.Context) error {
	if len(l.Flows) == 0 {
		return nil
	}
	if err := l.first(ctx, "sms", "set", "--store", Store, "--by", "lab", "--texts-per-day", "0"); err != nil {
		return err
	}
	for _, store := range l.texting() {
		if _, err := l.Run(ctx, append([]string{"flows", "activate", "--store", store, "--by", "lab"}, l.Flows...)...); err != nil {
			return err
		}
	}
	return nil
}

// first runs the first command that needs a transaction. A new broker creates a topic for it, which may take longer than a command waits.
func (l *Lab) first(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		_, err := l.Run(ctx, args...)
		if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "Coordinator Not Available") {
			return err
		}
	}
}

// activate activates Flows on the embedded broker of a process, and waits until they are in force there.
func (l *Lab) activate(ctx context.Context, p *Process) error {
	if l.activated || len(l.Flows) == 0 {
		return nil
	}
	if err := l.ActivateFlows(ctx); err != nil {
		return err
	}
	l.activated = true
	return p.await(ctx, "its flows are not in force", func(context.Context) bool {
		log := p.Output()
		return !slices.ContainsFunc(l.texting(), func(store string) bool {
			return !strings.Contains(log, fmt.Sprintf(`"store":%q,"active_flows":["`, store))
		})
	})
}

// Run runs another command of the binary with the lab's configuration, and returns what it prints.
func (l *Lab) Run(ctx context.Context, args ...string) (string, error) {
	config, err := l.writeConfig("commands", l.Admin)
	if err != nil {
		return "", err
	}
	args = append(args, "--config", config)
	out, err := exec.CommandContext(ctx, l.Binary, args...).CombinedOutput() //nolint:gosec // the binary under test
	if err != nil {
		return string(out), fmt.Errorf("run %v: %w: %s", args, err, out)
	}
	return string(out), nil
}
