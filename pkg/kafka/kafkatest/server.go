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

// brokerHeap is the most memory for objects of one broker.
const brokerHeap = "384m"

// server is the process of one Apache Kafka broker.
type server struct {
	java    java
	dir     string
	process *exec.Cmd
	frozen  bool
}

// newServer writes the configuration of a broker into a folder, which will have its records too.
func newServer(j java, dir string, s properties) (*server, error) {
	server := &server{java: j, dir: dir}
	s = s.and(properties{"log.dirs": server.path("records")})
	if err := os.WriteFile(server.path("server.properties"), s.file(), 0o600); err != nil {
		return nil, fmt.Errorf("configure Kafka: %w", err)
	}
	return server, nil
}

func (s *server) path(name string) string { return filepath.Join(s.dir, name) }

// clusterID is a new name for a cluster.
func clusterID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	id[0] &= 0x7f        // an id that begins with "-" would be taken for an option
	return base64.RawURLEncoding.EncodeToString(id)
}

// format prepares the folder of the records, as kafka-storage.sh does.
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
	s.end()
	return nil
}

// end kills the process that start began, if there is one.
func (s *server) end() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill() // it may be gone already
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
	log, _ := os.ReadFile(s.path("kafka.log")) // without it there is nothing to show
	return string(log)
}
