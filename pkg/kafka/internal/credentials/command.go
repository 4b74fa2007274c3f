package credentials

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// commandTimeout limits one run of a command.
	commandTimeout = 10 * time.Second
	// commandGrace is how long to wait for the output of a killed command's children.
	commandGrace = time.Second
	// maxOutput limits the output. Kafka accepts 512 KiB of SASL (sasl.server.max.receive.size).
	maxOutput = 64 << 10
	// refreshFraction is the part of a token's lifetime after which another one is requested. It is smaller than that after which
	// a session authenticates again, so that a session does not do so with the same token.
	refreshFraction = 0.75
	// unknownLifetime is how long a token without a known expiry is used for other connections. A command that takes longer than
	// a connection may take is ready for the next attempt.
	unknownLifetime = 5 * time.Second
	// withheld is the prefix of variables that the command does not get: they contain secrets.
	withheld = "RECHARGEFLOW_"
)

// Command is a program whose output is a token.
type Command struct {
	// Argv are the program and its arguments. No shell is used.
	Argv []string
	// Setting is named in errors.
	Setting string
	// Now is the clock; nil means the system clock.
	Now func() time.Time
}

// commandToken runs a command when a token is needed, once for all connections that wait for it.
type commandToken struct {
	Command

	mutex     sync.Mutex
	current   token
	refreshAt time.Time
	running   chan struct{} // closed at the end of the run; nil if none
	failed    error         // of the last run
	warnings  warnings
}

// Token returns the token of a command. It is used until three quarters of its lifetime have passed; if the command fails after
// that, until it expires. Errors have neither its output nor its arguments.
func (c Command) Token(warn Warn) Secret {
	if c.Now == nil {
		c.Now = time.Now
	}
	t := &commandToken{Command: c, warnings: warnings{warn: warn}}
	return t.get
}

func (t *commandToken) get(ctx context.Context) (string, error) {
	t.mutex.Lock()
	if t.current.text != "" && t.Now().Before(t.refreshAt) {
		defer t.mutex.Unlock()
		return t.current.text, nil
	}
	if t.running == nil {
		t.running = make(chan struct{})
		go t.refresh(context.WithoutCancel(ctx), t.running)
	}
	running := t.running
	t.mutex.Unlock()

	interrupted := false
	select {
	case <-running:
	case <-ctx.Done():
		interrupted = true
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	switch {
	case t.usable():
		return t.current.text, nil
	case interrupted:
		return "", fmt.Errorf("%s: the command is still running: %w", t.Setting, ctx.Err())
	case t.failed != nil:
		return "", t.failed
	default:
		return "", fmt.Errorf("%s: the command returned a token that has expired", t.Setting)
	}
}

// usable reports whether there is a token that has not expired. The mutex is held.
func (t *commandToken) usable() bool {
	return t.current.text != "" && (t.current.expires.IsZero() || t.Now().Before(t.current.expires))
}

func (t *commandToken) refresh(ctx context.Context, done chan struct{}) {
	next, err := t.run(ctx)
	t.mutex.Lock()
	defer t.mutex.Unlock()
	defer close(done)
	t.running, t.failed = nil, err
	now := t.Now()
	if err != nil {
		if t.usable() {
			t.warnings.report(now, err)
		}
		return
	}
	t.current, t.refreshAt = next, now.Add(unknownLifetime)
	if !next.expires.IsZero() {
		t.refreshAt = now.Add(time.Duration(refreshFraction * float64(next.expires.Sub(now))))
	}
}

// run runs the command once.
func (t *commandToken) run(ctx context.Context) (token, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, t.Argv[0], t.Argv[1:]...)
	command.WaitDelay = commandGrace
	command.Env = slices.DeleteFunc(command.Environ(), func(entry string) bool { return strings.HasPrefix(entry, withheld) })
	output := &limited{}
	command.Stdout = output // what it writes to standard error is dropped, because it could contain the token
	err := command.Run()
	switch {
	case output.full:
		return token{}, fmt.Errorf("%s: the command wrote more than %d bytes", t.Setting, maxOutput)
	case ctx.Err() != nil:
		return token{}, fmt.Errorf("%s: the command took longer than %s", t.Setting, commandTimeout)
	case err != nil:
		return token{}, fmt.Errorf("%s: run the command: %w; run it in a terminal to see its messages", t.Setting, withoutArguments(err))
	}
	found, err := parseOutput(output.content.String(), t.Now())
	if err != nil {
		return token{}, fmt.Errorf("%s: read the command's output: %w", t.Setting, err)
	}
	return found, nil
}

// withoutArguments returns why a command did not run.
func withoutArguments(err error) error {
	var notFound *exec.Error
	var exit *exec.ExitError
	switch {
	case errors.As(err, &notFound):
		return notFound.Err
	case errors.As(err, &exit):
		return errors.New(exit.String())
	default:
		return withoutPath(err)
	}
}

// limited is a buffer that refuses more than maxOutput bytes.
type limited struct {
	content bytes.Buffer // not embedded: its ReadFrom has no limit
	full    bool
}

// Write fails when the limit is exceeded.
func (l *limited) Write(b []byte) (int, error) {
	if l.content.Len()+len(b) > maxOutput {
		l.full = true
		return 0, errors.New("too much output")
	}
	return l.content.Write(b)
}
