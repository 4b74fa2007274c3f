package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Line is one line of a process's log.
type Line struct {
	Message     string `json:"msg"`
	Level       string `json:"level"`
	Role        string `json:"role"`
	Store       string `json:"store"`
	Topic       string `json:"topic"`
	Partition   int    `json:"partition"`
	Offset      int64  `json:"offset"`
	Outcome     string `json:"outcome"`
	Reason      string `json:"reason"`
	Outputs     int    `json:"outputs"`
	Traceparent string `json:"traceparent"`
	Recharge    string `json:"recharge_topic"`
	Type        string `json:"ce_type"`
	Status      int    `json:"status"`
	Error       string `json:"error"`
}

// Process is one running binary.
type Process struct {
	Roles []string
	// StateDir is the state directory of a transformer.
	StateDir string

	name, admin string // of its configuration
	cmd         *exec.Cmd
	ended       chan struct{}
	err         error

	mu    sync.Mutex
	lines []Line
	raw   []byte
}

// Start runs the binary with the given roles (all roles if none are given) and waits until it is ready.
func (l *Lab) Start(ctx context.Context, roles ...string) (*Process, error) {
	p, err := l.Launch(ctx, nil, roles...)
	if err != nil {
		return nil, err
	}
	err = p.AwaitReady(ctx)
	if err == nil && len(l.Brokers) == 0 {
		err = l.activate(ctx, p)
	}
	if err != nil {
		p.Kill()
		return nil, fmt.Errorf("%w; its log:\n%s", err, p.Output())
	}
	return p, nil
}

// Launch is Start without waiting, with additional environment variables.
func (l *Lab) Launch(ctx context.Context, environ []string, roles ...string) (*Process, error) {
	admin, name := l.Admin, "rechargeflow"
	if len(roles) > 0 {
		free, err := l.another()
		if err != nil {
			return nil, err
		}
		_, port, _ := net.SplitHostPort(free)
		admin, name = free, roles[0]+"-"+port
	}
	config, err := l.writeConfig(name, admin)
	if err != nil {
		return nil, err
	}
	args := append([]string{"run", "--config", config}, roles...)
	p := &Process{Roles: roles, StateDir: l.state(name), name: name, admin: admin, ended: make(chan struct{})}
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), l.Binary, args...) //nolint:gosec // the binary under test
	p.cmd.Dir = l.Dir
	p.cmd.Env = append(os.Environ(), environ...)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe output: %w", err)
	}
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", l.Binary, err)
	}
	go p.follow(out)
	return p, nil
}

// follow reads the log to its end.
func (p *Process) follow(out io.Reader) {
	defer close(p.ended)
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var line Line
		_ = json.Unmarshal(scanner.Bytes(), &line) // what is no JSON is kept as it is
		p.mu.Lock()
		p.lines = append(p.lines, line)
		p.raw = append(append(p.raw, scanner.Bytes()...), '\n')
		p.mu.Unlock()
	}
	p.err = p.cmd.Wait()
}

// Reconfigure writes the configuration of a running process again, and returns when the process has taken it up.
func (l *Lab) Reconfigure(ctx context.Context, p *Process) error {
	const taken = "configuration reloaded"
	before := strings.Count(p.Output(), taken)
	if _, err := l.writeConfig(p.name, p.admin); err != nil {
		return err
	}
	if err := p.Signal(syscall.SIGHUP); err != nil {
		return fmt.Errorf("reload configuration: %w", err)
	}
	return p.await(ctx, "it has not reloaded", func(context.Context) bool { return strings.Count(p.Output(), taken) > before })
}

// AwaitReady reads /readyz until every check is ok.
func (p *Process) AwaitReady(ctx context.Context) error {
	return p.await(ctx, "it is not ready", p.ready)
}

// await waits until a condition holds; what says what is wrong if it never does.
func (p *Process) await(ctx context.Context, what string, holds func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	for {
		if holds(ctx) {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("rechargeflow %v ended: %w", p.Roles, p.err)
		case <-ctx.Done():
			return fmt.Errorf("await rechargeflow %v: %s: %w", p.Roles, what, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *Process) ready(ctx context.Context) bool {
	body, err := get(ctx, "http://"+p.admin+"/readyz")
	if err != nil {
		return false
	}
	var report struct {
		Checks []struct {
			OK bool `json:"ok"`
		} `json:"checks"`
	}
	return json.Unmarshal(body, &report) == nil && !slices.ContainsFunc(report.Checks, func(c struct {
		OK bool `json:"ok"`
	},
	) bool {
		return !c.OK
	})
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Readiness returns the body of /readyz.
func (p *Process) Readiness(ctx context.Context) (string, error) {
	body, err := get(ctx, "http://"+p.admin+"/readyz")
	return string(body), err
}

// Metrics returns the process's /metrics page.
func (p *Process) Metrics(ctx context.Context) (string, error) {
	page, err := get(ctx, "http://"+p.admin+"/metrics")
	return string(page), err
}

func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // read to its end
	return io.ReadAll(response.Body)
}

// Lines returns the log so far.
func (p *Process) Lines() []Line {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

// Output returns the log so far, as written.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.raw)
}

// Ended returns a channel that is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Freeze stops the process with SIGSTOP, until Thaw.
func (p *Process) Freeze() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw continues a frozen process with SIGCONT.
func (p *Process) Thaw() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// Signal sends the process a signal.
func (p *Process) Signal(signal os.Signal) error { return p.cmd.Process.Signal(signal) }

// Kill kills the process with SIGKILL and waits until it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// Stop sends SIGTERM and returns the exit error of the process.
func (p *Process) Stop(within time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop rechargeflow: %w", err)
	}
	select {
	case <-p.ended:
		return p.err
	case <-time.After(within):
		p.Kill()
		return errors.New("rechargeflow did not stop in time")
	}
}
