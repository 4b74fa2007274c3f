//go:build bench

package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/test/lab"
)

// eventsStore is the lab's store without texts.
const eventsStore = lab.Store + "-1"

// peer is a program that does the transformer's work in a process of its own.
type peer struct {
	name  string
	group func(prefix string) string   // its consumer group
	state func(prefix string) []string // the changelogs of its state
	start func(t *testing.T, prefix string) (pid int, stop func())
}

// streamsApp is the directory of the built Kafka Streams application.
type streamsApp string

// findStreams finds Java and the application; the error says what is missing.
func findStreams() (streamsApp, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return "", errors.New("no java on PATH")
	}
	dir, err := filepath.Abs(filepath.Join("..", "..", ".cache", "streams"))
	if err != nil {
		return "", fmt.Errorf("find .cache: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".complete")); err != nil {
		return "", fmt.Errorf("no Kafka Streams application in %s (`make streams` builds it, with Maven)", dir)
	}
	return streamsApp(dir), nil
}

// peer runs the application with a commit interval.
func (s streamsApp) peer(on target, commit time.Duration) peer {
	application := func(prefix string) string { return prefix + "streams" }
	return peer{
		name:  fmt.Sprintf("Kafka Streams, commit interval %s", commit),
		group: application,
		state: func(prefix string) []string {
			var changelogs []string
			for _, store := range []string{"customers", "owners", "charge-owners"} {
				changelogs = append(changelogs, application(prefix)+"-"+store+"-changelog")
			}
			return changelogs
		},
		start: func(t *testing.T, prefix string) (pid int, stop func()) {
			t.Helper()
			return s.run(t,
				"brokers="+strings.Join(on.brokers, ","), "application="+application(prefix), "prefix="+prefix,
				"state_dir="+t.TempDir(), "compression="+streamsCompression, fmt.Sprintf("commit_ms=%d", commit.Milliseconds()))
		},
	}
}

// streamsCompression is that of the product.
const streamsCompression = "snappy"

// streamsMemory limits the heap as that of the other Java programs here. The parallel collector is the one for throughput
// (https://docs.oracle.com/en/java/javase/17/gctuning/parallel-collector1.html).
func streamsMemory() []string { return []string{"-Xmx1g", "-XX:+UseParallelGC"} }

func (s streamsApp) run(t *testing.T, arguments ...string) (pid int, stop func()) {
	t.Helper()
	classes := filepath.Join(string(s), "classes") + ":" + filepath.Join(string(s), "jars", "*")
	options := append(streamsMemory(), "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", classes, "rechargeflow.bench.Main")
	command := exec.CommandContext(context.WithoutCancel(t.Context()), "java", append(options, arguments...)...)
	command.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "_JAVA_OPTIONS=") })
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	require.NoError(t, command.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait() // killed by SIGTERM, its status says nothing
	}()
	kill := func() {
		_ = command.Process.Kill() // it may have ended by itself
		<-ended
	}
	t.Cleanup(func() {
		kill()
		if t.Failed() {
			t.Logf("Kafka Streams:\n%s", &log)
		}
	})
	return command.Process.Pid, func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			kill()
		}
	}
}
