package state_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/state"
)

func observed() (*zap.Logger, *observer.ObservedLogs) {
	core, seen := observer.New(zap.DebugLevel)
	return zap.New(core), seen
}

// again opens the copy once more and returns its owner and why the copy was not continued, "" if it was.
func again(t *testing.T, config state.Config) (*owner, string) {
	t.Helper()
	log, seen := observed()
	config.Log = log
	o := own(t, config, 0)
	restored := seen.FilterMessage("restoring state from the beginning of its topic").All()
	if len(restored) == 0 {
		return o, ""
	}
	return o, restored[0].ContextMap()["local_copy"].(string)
}

// restores collects the rows of each restore.
type restores struct{ rows []int }

func (*restores) StateDiskFull(bool) {}

func (r *restores) StateRestored(rows int, _ time.Duration) { r.rows = append(r.rows, rows) }

func TestACopyIsContinued(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 1), cluster)
	restored := &restores{}
	config.Metrics = restored
	first, why := again(t, config)
	assert.Equal(t, "none", why)
	assert.Equal(t, []int{1}, restored.rows, "the origin")
	first.set("a", "1")
	assert.Positive(t, first.store.Disk().Free)
	assert.Greater(t, first.store.Disk().Total, first.store.Disk().Free)
	require.NoError(t, first.store.Close())
	assert.Zero(t, first.store.Disk().Copy, "closed")
	second, why := again(t, config)
	assert.Positive(t, second.store.Disk().Copy)
	assert.Len(t, restored.rows, 2)
	assert.Empty(t, why)
	assert.Equal(t, map[string]string{"a": "1"}, second.all())
}

func TestACopyOfAnotherClusterIsWiped(t *testing.T) {
	one, other := kafkatest.Embedded(t).Cluster(), kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, one, 1), one)
	o := own(t, config, 0)
	o.set("a", "1")
	require.NoError(t, o.store.Close())
	config.Cluster = other
	topic(t, other, config.Topic, 1, map[string]string{"cleanup.policy": "compact"})
	o, why := again(t, config)
	assert.Equal(t, "of another cluster", why)
	assert.Empty(t, o.all())
}

func TestACopyOfAnotherTopicOfThatNameIsWiped(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	for name, records := range map[string]int{"shorter": 0, "longer": 50} {
		t.Run(name, func(t *testing.T) {
			config := quiet(t.TempDir(), changelog(t, cluster, 1), cluster)
			o := own(t, config, 0)
			o.set("a", "1")
			require.NoError(t, o.store.Close())
			kafkatest.DeleteTopic(t, cluster.Brokers[0], config.Topic)
			topic(t, cluster, config.Topic, 1, map[string]string{"cleanup.policy": "compact"})
			if records > 0 {
				other := own(t, quiet(t.TempDir(), config.Topic, cluster), 0)
				for range records {
					other.set("b", time.Now().String())
				}
				other.set("b", "2")
			}
			o, why := again(t, config)
			if records == 0 {
				assert.Equal(t, "ahead of the changelog", why)
				assert.Empty(t, o.all())
				return
			}
			assert.Equal(t, "of another topic with that name", why)
			assert.Equal(t, map[string]string{"b": "2"}, o.all())
		})
	}
}

// The first TakeOver of a new changelog may fail after it wrote the copy's position and before it wrote the origin.
func TestATakeOverIsRepeatedAfterTheOriginWasNotWritten(t *testing.T) {
	for _, step := range []string{"copy chosen", "copy removed", "changelog read", "origin written"} {
		t.Run(step, func(t *testing.T) {
			cluster := kafkatest.Embedded(t).Cluster()
			config := quiet(t.TempDir(), changelog(t, cluster, 1), cluster)
			ctx, cancel := context.WithCancel(t.Context())
			config.FaultPoint = func(name string) {
				if name == step {
					cancel()
				}
			}
			partition := opened(t, config).Partition(0)
			require.ErrorIs(t, partition.TakeOver(ctx), context.Canceled)
			require.NoError(t, partition.TakeOver(t.Context()))
		})
	}
}

// Brokers lost acknowledged records, as after a power cut without replicas. The position may still be within the changelog, but
// not what was written after it.
func TestACopyThatIsAheadIsWiped(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 1), cluster)
	o := own(t, config, 0)
	o.set("a", "1")
	lost := o.Begin()
	lost.Set([]byte("a"), []byte("written"))
	_, err := lost.Rows() // never reach the changelog
	require.NoError(t, err)
	lost.Apply()
	require.NoError(t, o.store.Close())
	o, why := again(t, config)
	assert.Equal(t, "ahead of the changelog", why)
	assert.Equal(t, map[string]string{"a": "1"}, o.all())
}

func TestAnOldCopyIsWiped(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 1, "delete.retention.ms", "86400000"), cluster)
	now := time.Now()
	config.Now = func() time.Time { return now }
	o := own(t, config, 0)
	o.set("a", "1")
	require.NoError(t, o.store.Close())
	now = now.Add(20 * time.Hour)
	o, why := again(t, config)
	assert.Empty(t, why, "its tombstones are still there")
	require.NoError(t, o.store.Close())
	now = now.Add(23 * time.Hour)
	o, why = again(t, config)
	assert.Contains(t, why, "too old")
	require.NoError(t, o.store.Close())
	now = now.Add(-100 * time.Hour)
	_, why = again(t, config)
	assert.Contains(t, why, "too old", "the clock was set back")
}

func TestTwoProcessesOnOneDirectory(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 1), cluster)
	first := opened(t, config)
	_, err := state.Open(config)
	require.ErrorIs(t, err, state.ErrLocked)
	require.ErrorContains(t, err, config.Dir)
	require.NoError(t, first.Close())
	opened(t, config)
}

func TestOpenRejectsInvalidConfigs(t *testing.T) {
	_, err := state.Open(state.Config{Dir: t.TempDir(), Topic: "t"})
	require.ErrorContains(t, err, "no Kafka brokers")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = state.Open(state.Config{Dir: file, Topic: "t", Cluster: kafka.Cluster{Brokers: []string{"127.0.0.1:1"}}})
	require.ErrorContains(t, err, file)
}

// filled is a directory with rows in a file of their own, and the rows.
func filled(t *testing.T, config state.Config) map[string]string {
	t.Helper()
	o := own(t, config, 0)
	for i := range 20 {
		var pairs []string
		for j := range 100 {
			pairs = append(pairs, strings.Repeat("k", i)+string(rune('a'+j)), strings.Repeat("some value ", 20))
		}
		o.set(pairs...)
	}
	all := o.all()
	require.NoError(t, o.store.Close())
	return all
}

// damage overwrites the middle of files.
func damage(t *testing.T, config state.Config, pattern string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(config.Dir, "rows", pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		for i := len(content) / 10; i < len(content)*8/10; i++ {
			content[i] ^= 0x55
		}
		require.NoError(t, os.WriteFile(file, content, 0o600))
	}
}

func TestFilesThatCanNotBeOpenedAreRestored(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, config state.Config){
		"its manifest is damaged": func(t *testing.T, config state.Config) { damage(t, config, "MANIFEST-*") },
		"a file is missing": func(t *testing.T, config state.Config) {
			files, err := filepath.Glob(filepath.Join(config.Dir, "rows", "*.sst"))
			require.NoError(t, err)
			require.NotEmpty(t, files)
			require.NoError(t, os.Remove(files[0]))
		},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := kafkatest.Embedded(t).Cluster()
			config := quiet(t.TempDir(), changelog(t, cluster, 1), cluster)
			want := filled(t, config)
			spoil(t, config)
			log, seen := observed()
			config.Log = log
			o := own(t, config, 0)
			assert.Equal(t, 1, seen.FilterMessageSnippet("open local state failed").Len())
			assert.Equal(t, want, o.all())
		})
	}
}

// Damage is often found only when a row is read. Then the transaction has no effect, and the next TakeOver restores all.
func TestDamageThatIsFoundLaterIsRestored(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 2), cluster)
	want := filled(t, config)
	damage(t, config, "*.sst")
	log, seen := observed()
	config.Log = log
	store := opened(t, config)
	p, bystander := store.Partition(0), store.Partition(1)
	require.NoError(t, bystander.TakeOver(t.Context()))
	var err error
	for range 2 { // the first may not read the damaged part
		if err = p.TakeOver(t.Context()); err != nil {
			continue
		}
		overlay := p.Begin()
		contents(overlay, "")
		_, err = overlay.Rows()
		overlay.Drop()
		if err == nil {
			break
		}
		require.ErrorIs(t, err, kafka.ErrTakeOver)
	}
	require.NoError(t, p.TakeOver(t.Context()))
	assert.Equal(t, 1, seen.FilterMessageSnippet("local state is corrupt").Len())
	overlay := p.Begin()
	assert.Equal(t, want, contents(overlay, ""))
	overlay.Drop()
	overlay = bystander.Begin()
	_, err = overlay.Rows()
	require.ErrorIs(t, err, kafka.ErrTakeOver, "its rows went with the file")
	overlay.Drop()
	require.NoError(t, bystander.TakeOver(t.Context()))
}

// A transaction that does not end does not block Close: the local copy stays, and nothing is lost.
func TestCloseDoesNotWaitForEver(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 1), cluster)
	o := own(t, config, 0)
	o.set("a", "1")
	overlay := o.Begin()
	require.ErrorContains(t, o.store.Close(), "a transaction is still open")
	overlay.Drop()
	require.NoError(t, o.store.Close())
	anew, _ := again(t, config)
	assert.Equal(t, map[string]string{"a": "1"}, anew.all())
}
