package kafkatest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// server is the process of one Apache Kafka broker.
type server struct {
	dir, jars  string
	addr       string
	controller string
	process    *exec.Cmd
}

// newServer writes the configuration of a broker into a folder.
func newServer(dir, jars string) (*server, error) {
	s := &server{dir: dir, jars: jars}
	var err error
	if s.addr, err = freeAddr(); err != nil {
		return nil, err
	}
	if s.controller, err = freeAddr(); err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.path("server.properties"), s.properties(), 0o600); err != nil {
		return nil, fmt.Errorf("configure Kafka: %w", err)
	}
	return s, nil
}

func (s *server) path(name string) string { return filepath.Join(s.dir, name) }

func (s *server) properties() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@%[1]s
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://%[2]s,CONTROLLER://%[1]s
advertised.listeners=PLAINTEXT://%[2]s
log.dirs=%[3]s
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=3
transaction.state.log.min.isr=1
min.insync.replicas=1
`, s.controller, s.addr, s.path("records"))
	return b.Bytes()
}

// format prepares the folder of the records, as kafka-storage.sh does.
func (s *server) format(ctx context.Context) error {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	id[0] &= 0x7f        // an id that begins with "-" would be taken for an option
	command := exec.CommandContext(ctx, "java", s.arguments("kafka.tools.StorageTool",
		"format", "-t", base64.RawURLEncoding.EncodeToString(id), "-c", s.path("server.properties"))...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("format Kafka storage: %w: %s", err, output)
	}
	return nil
}

// arguments are java's for one of Kafka's programs: little memory, and no optimizing compiler, which starts quicker.
func (s *server) arguments(class string, arguments ...string) []string {
	return append([]string{
		"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(s.jars, "*"), class,
	}, arguments...)
}

func (s *server) start(context.Context) error {
	log, err := os.OpenFile(s.path("kafka.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start Kafka: %w", err)
	}
	defer log.Close()                                                                           //nolint:errcheck // the process has its own copy
	command := exec.Command("java", s.arguments("kafka.Kafka", s.path("server.properties"))...) //nolint:noctx // end ends it
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
	s.process = nil
}

func (s *server) log(context.Context) string {
	log, _ := os.ReadFile(s.path("kafka.log")) // without it there is nothing to show
	return string(log)
}
