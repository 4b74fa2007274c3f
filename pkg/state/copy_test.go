package state_test

import (
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
	core, seen := observer.New(zap.InfoLevel)
	return zap.New(core), seen
}

// again opens the copy once more and returns its owner and why the copy was not gone on from, "" when it was.
func again(t *testing.T, config state.Config) (*owner, string) {
	t.Helper()
	log, seen := observed()
	config.Log = log
	o := own(t, config, 0)
	restored := seen.FilterMessage("restore state from the beginning of its topic").All()
	if len(restored) == 0 {
		return o, ""
	}
	return o, restored[0].ContextMap()["copy"].(string)
}

func TestACopyIsGoneOnFrom(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 1), cluster)
	first, why := again(t, config)
	assert.Equal(t, "there is none", why)
	first.set("a", "1")
	require.NoError(t, first.store.Close())
	second, why := again(t, config)
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
	assert.Equal(t, "it is of another cluster", why)
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
				assert.Equal(t, "it is ahead of the changelog", why)
				assert.Empty(t, o.all())
				return
			}
			assert.Equal(t, "it is of another topic of that name", why)
			assert.Equal(t, map[string]string{"b": "2"}, o.all())
		})
	}
}

// Brokers that lost what they had acknowledged, as one that keeps its records on a machine without power: the position may
// still be within the changelog, but not what was written behind it.
func TestACopyThatIsAheadIsWiped(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 1), cluster)
	o := own(t, config, 0)
	o.set("a", "1")
	lost := o.Begin()
	lost.Set([]byte("a"), []byte("told"))
	_, err := lost.Rows() // never reach the changelog
	require.NoError(t, err)
	lost.Apply()
	require.NoError(t, o.store.Close())
	o, why := again(t, config)
	assert.Equal(t, "it is ahead of the changelog", why)
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
	assert.Contains(t, why, "it is too old")
	require.NoError(t, o.store.Close())
	now = now.Add(-100 * time.Hour)
	_, why = again(t, config)
	assert.Contains(t, why, "it is too old", "a clock that was set back tells nothing")
}

func TestTwoProcessesOnOneFolder(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 1), cluster)
	first := opened(t, config)
	_, err := state.Open(config)
	require.ErrorIs(t, err, state.ErrLocked)
	require.ErrorContains(t, err, config.Dir)
	require.NoError(t, first.Close())
	opened(t, config)
}

func TestOpenRefusesWhatCanNotWork(t *testing.T) {
	_, err := state.Open(state.Config{Dir: t.TempDir(), Topic: "t"})
	require.ErrorContains(t, err, "no Kafka brokers")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = state.Open(state.Config{Dir: file, Topic: "t", Cluster: kafka.Cluster{Brokers: []string{"127.0.0.1:1"}}})
	require.ErrorContains(t, err, file)
}

// filled is a folder with rows in a file of their own, and what they are.
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
			assert.Equal(t, 1, seen.FilterMessageSnippet("can't be opened").Len())
			assert.Equal(t, want, o.all())
		})
	}
}

// Damage is often found only when a row is read. Then nothing comes of the transaction, and the next TakeOver restores all.
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
	for range 2 { // the first may not read what is damaged
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
	assert.Equal(t, 1, seen.FilterMessageSnippet("is corrupt: removed").Len())
	overlay := p.Begin()
	assert.Equal(t, want, contents(overlay, ""))
	overlay.Drop()
	overlay = bystander.Begin()
	_, err = overlay.Rows()
	require.ErrorIs(t, err, kafka.ErrTakeOver, "its rows went with the file")
	overlay.Drop()
	require.NoError(t, bystander.TakeOver(t.Context()))
}

// A transaction that does not come to an end doesn't keep the process from ending: the folder is left, and nothing is lost.
func TestCloseDoesNotWaitForEver(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 1), cluster)
	o := own(t, config, 0)
	o.set("a", "1")
	overlay := o.Begin()
	require.ErrorContains(t, o.store.Close(), "a transaction is still at work")
	overlay.Drop()
	require.NoError(t, o.store.Close())
	anew, _ := again(t, config)
	assert.Equal(t, map[string]string{"a": "1"}, anew.all())
}
