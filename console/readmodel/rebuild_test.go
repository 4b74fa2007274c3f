package readmodel_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

func TestRebuildOnTheEmbeddedBroker(t *testing.T) { testRebuild(t, kafkatest.Embedded(t)) }

func TestRebuildOnApacheKafka(t *testing.T) { testRebuild(t, kafkatest.Real(t)) }

// A read model that is built again has the content of the one that followed the topics.
func testRebuild(t *testing.T, b kafkatest.Broker) {
	s, rng, dir := newShop(t, b), newRNG(11), t.TempDir()
	m := s.run(dir)
	for range 20 {
		s.write(s.anything(rng, 30)...)
		m.await()
	}
	want := m.content()
	m.close()
	file := filepath.Join(dir, "readmodel.db")
	for name, damage := range map[string]func(t *testing.T){
		"unchanged": func(*testing.T) {},
		"deleted": func(t *testing.T) {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				_ = os.Remove(file + suffix)
			}
		},
		"another version": func(t *testing.T) {
			db, err := sql.Open("sqlite", file)
			require.NoError(t, err)
			_, err = db.ExecContext(t.Context(), "PRAGMA user_version = 999")
			require.NoError(t, err)
			require.NoError(t, db.Close())
		},
		"no database": func(t *testing.T) {
			require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("garbage ", 1000)), 0o600))
		},
		"another time": func(t *testing.T) { alter(t, file, "UPDATE offsets SET last_at = last_at + 1") },
		"ahead":        func(t *testing.T) { alter(t, file, "UPDATE offsets SET next = next + 1000") },
		"other rows, of another cluster": func(t *testing.T) {
			alter(t, file, "UPDATE meta SET value = 'another' WHERE name = 'cluster'", "DELETE FROM events", "UPDATE texts SET status = 'sent'")
		},
		"of another prefix": func(t *testing.T) {
			alter(t, file, "UPDATE meta SET value = 'prefix other.' WHERE name = 'prefix'", "DELETE FROM events")
		},
		"more partitions": func(t *testing.T) { alter(t, file, "UPDATE offsets SET partition = 99 WHERE partition = 0") },
	} {
		t.Run(name, func(t *testing.T) {
			damage(t)
			again := s.run(dir)
			defer again.close()
			got := again.content()
			require.Len(t, got, len(want))
			for query := range want {
				require.Equal(t, want[query], got[query], query)
			}
		})
	}
}

// alter changes the database.
func alter(t *testing.T, file string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	for _, statement := range statements {
		_, err = db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
}

// Topics that are deleted and created again while a process follows them.
func TestTopicsCreatedAgain(t *testing.T) {
	b := kafkatest.Embedded(t)
	s := newShop(t, b)
	s.write(s.anything(newRNG(12), 200)...)
	m := s.run(t.TempDir())
	for _, topic := range s.read() {
		kafkatest.DeleteTopic(t, b.Addr(), topic)
	}
	s.create()
	s.jo(s.now)
	require.Eventually(t, func() bool {
		page, err := m.Customer(t.Context(), "acme", "42", 0)
		return err == nil && len(page.Texts) == 1
	}, 2*time.Minute, 20*time.Millisecond)
	m.await()
	again := s.run(t.TempDir())
	assert.Equal(t, again.content(), m.content())
}

const childVariable = "RECHARGEFLOW_TEST_READMODEL"

// child is what a process that is killed follows.
type child struct {
	Brokers    []string
	Prefix     string
	Dir, Point string
	Passes     int
	Now        time.Time
}

// TestKilledChild is the process that TestKilled starts.
func TestKilledChild(t *testing.T) {
	encoded := os.Getenv(childVariable)
	if encoded == "" {
		t.Skip("only as a child")
	}
	var c child
	require.NoError(t, json.Unmarshal([]byte(encoded), &c))
	m, err := readmodel.Open(readmodel.Config{
		Dir: c.Dir, Cluster: kafka.Cluster{Brokers: c.Brokers}, Topics: topology.Topics{Prefix: c.Prefix}, Every: time.Millisecond, Now: func() time.Time { return c.Now },
		FaultPoint: func(name string) {
			if name == c.Point {
				if c.Passes--; c.Passes < 0 {
					_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				}
			}
		},
	})
	require.NoError(t, err)
	require.NoError(t, m.Run(t.Context()))
}

// A process that is killed at any step of a transaction has written each record once.
func TestKilled(t *testing.T) {
	s := newShop(t, kafkatest.Embedded(t))
	dir, rng := t.TempDir(), newRNG(13)
	for _, point := range []string{"read model rows written", "read model offsets written", "read model committed"} {
		for passes := range 2 {
			s.write(s.anything(rng, 300)...)
			encoded, err := json.Marshal(child{Brokers: s.cluster.Brokers, Prefix: s.Prefix, Dir: dir, Point: point, Passes: passes, Now: s.now})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			command := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKilledChild$") //nolint:gosec // this test
			command.Env = append(os.Environ(), childVariable+"="+string(encoded))
			stop := make(chan struct{})
			stopped := make(chan struct{})
			go func() { // so that there is another transaction
				defer close(stopped)
				for {
					select {
					case <-stop:
						return
					case <-time.After(50 * time.Millisecond):
						s.write(s.anything(rng, 20)...)
					}
				}
			}()
			out, err := command.CombinedOutput()
			close(stop)
			<-stopped
			cancel()
			var exited *exec.ExitError
			require.ErrorAs(t, err, &exited, string(out))
			assert.Equal(t, syscall.SIGKILL, exited.Sys().(syscall.WaitStatus).Signal(), fmt.Sprint(point, passes, string(out)))
		}
	}
	killed := s.run(dir)
	defer killed.close()
	again := s.run(t.TempDir())
	defer again.close()
	want, got := again.content(), killed.content()
	require.Len(t, got, len(want))
	for query := range want {
		require.Equal(t, want[query], got[query], query)
	}
}
