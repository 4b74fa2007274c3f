package kafkatest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// brokerHeap is the heap size of a broker.
const brokerHeap = "384m"

// server is the process of one Apache Kafka broker.
type server struct {
	java    java
	dir     string
	process *exec.Cmd
	frozen  bool
}

// newServer writes a broker's configuration into a directory, where its records are stored too.
func newServer(j java, dir string, s properties) (*server, error) {
	server := &server{java: j, dir: dir}
	s = s.with(properties{"log.dirs": server.path("records")})
	if err := os.WriteFile(server.path("server.properties"), s.file(), 0o600); err != nil {
		return nil, fmt.Errorf("configure Kafka: %w", err)
	}
	return server, nil
}

func (s *server) path(name string) string { return filepath.Join(s.dir, name) }

// clusterID returns a random cluster id.
func clusterID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	id[0] &= 0x7f        // an id that begins with "-" would be parsed as an option
	return base64.RawURLEncoding.EncodeToString(id)
}

// format formats the storage directory, as kafka-storage.sh does.
func (s *server) format(ctx context.Context, cluster string, options ...string) error {
	arguments := append([]string{"format", "-t", cluster, "-c", s.path("server.properties")}, options...)
	command := s.java.command(ctx, small(brokerHeap), "kafka.tools.StorageTool", arguments...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("format Kafka storage: %w: %s", err, output)
	}
	return nil
}

func (s *server) start(ctx context.Context) error {
	log, err := os.OpenFile(s.path("kafka.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start Kafka: %w", err)
	}
	defer log.Close() //nolint:errcheck // the process has its own copy
	command := s.java.command(context.WithoutCancel(ctx), small(brokerHeap), "kafka.Kafka", s.path("server.properties"))
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		return fmt.Errorf("start Kafka: %w", err)
	}
	s.process = command
	return nil
}

func (s *server) kill(context.Context) error {
	s.stop()
	return nil
}

// stop kills the process, if it is running.
func (s *server) stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill() // it may have exited already
	_ = s.process.Wait()         // the error is the kill
	s.process, s.frozen = nil, false
}

func (s *server) freeze() error {
	s.frozen = true
	return s.signal(syscall.SIGSTOP)
}

func (s *server) thaw() error {
	s.frozen = false
	return s.signal(syscall.SIGCONT)
}

func (s *server) signal(signal syscall.Signal) error {
	if s.process == nil {
		return os.ErrProcessDone
	}
	return s.process.Process.Signal(signal)
}

func (s *server) log(context.Context) string {
	log, _ := os.ReadFile(s.path("kafka.log")) // empty if there is none
	return string(log)
}
