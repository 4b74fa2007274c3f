package state_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/state"
)

// machine is two processes that own one partition in turn, and its expected state.
type machine struct {
	t        testing.TB
	cluster  kafka.Cluster
	producer *kafka.Producer
	topic    string
	number   int
	dirs     [2]string // each process's directory
	kept     [2]string // its backup
	at       int       // the owner
	store    *state.Store
	p        *state.Partition
	model    map[string]string
}

// After each TakeOver and in each overlay the state is that of the committed transactions, whatever happens to processes,
// directories and transactions.
func TestStateIsThatOfCommittedTransactions(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	defer func() { require.NoError(t, producer.Close()) }()
	const numbers = 1000
	topic, number := changelog(t, cluster, numbers), 0
	rapid.Check(t, func(r *rapid.T) {
		require.Less(t, number, numbers)
		m := &machine{
			t: t, cluster: cluster, producer: producer, topic: topic, number: number, model: map[string]string{},
			dirs: [2]string{t.TempDir(), t.TempDir()},
		}
		number++
		m.start()
		defer m.stop()
		r.Repeat(map[string]func(*rapid.T){
			"a transaction becomes visible": func(r *rapid.T) {
				overlay, after := m.transaction(r)
				m.visible(r, overlay)
				overlay.Apply()
				m.model = after
			},
			"a transaction fails": func(r *rapid.T) {
				overlay, _ := m.transaction(r)
				_, err := overlay.Rows()
				require.NoError(r, err)
				overlay.Drop()
			},
			"the outcome of a transaction is unknown": func(r *rapid.T) {
				overlay, after := m.transaction(r)
				if rapid.Bool().Draw(r, "visible") {
					m.visible(r, overlay)
					m.model = after
				}
				require.NoError(r, m.p.TakeOver(m.t.Context()))
				overlay.Apply()
			},
			"a process is killed after its transaction became visible": func(r *rapid.T) {
				overlay, after := m.transaction(r)
				m.visible(r, overlay)
				m.model = after
				m.dirs[m.at] = copyDir(m.t, m.dirs[m.at])
				overlay.Drop()
				m.stop()
				m.start()
			},
			"a process ends and starts again": func(*rapid.T) { m.stop(); m.start() },
			"a process is killed": func(*rapid.T) {
				m.dirs[m.at] = copyDir(m.t, m.dirs[m.at])
				m.stop()
				m.start()
			},
			"another process has the partition": func(*rapid.T) {
				m.stop()
				m.at = 1 - m.at
				m.start()
			},
			"a directory is backed up": func(*rapid.T) { m.kept[m.at] = copyDir(m.t, m.dirs[m.at]) },
			"a backup is put back": func(r *rapid.T) {
				if m.kept[m.at] == "" {
					r.Skip("nothing was kept")
				}
				m.stop()
				m.dirs[m.at] = copyDir(m.t, m.kept[m.at])
				m.start()
			},
			"the position can go on": func(*rapid.T) { time.Sleep(2 * time.Millisecond) },
			"": func(r *rapid.T) {
				overlay := m.p.Begin()
				defer overlay.Drop()
				require.Equal(r, m.model, contents(overlay, ""))
				_, err := overlay.Rows()
				require.NoError(r, err)
			},
		})
		require.Equal(r, m.model, fold(t, cluster, m.topic, m.number))
	})
}

func (m *machine) start() {
	config := quiet(m.dirs[m.at], m.topic, m.cluster)
	config.AdvanceEvery = time.Millisecond
	store, err := state.Open(config)
	require.NoError(m.t, err)
	m.store, m.p = store, store.Partition(m.number)
	require.NoError(m.t, m.p.TakeOver(m.t.Context()))
}

func (m *machine) stop() {
	m.p.Release()
	require.NoError(m.t, m.store.Close())
}

func (m *machine) visible(r *rapid.T, overlay *state.Overlay) {
	rows, err := overlay.Rows()
	require.NoError(r, err)
	require.NoError(r, m.producer.Produce(m.t.Context(), rows...))
}

// transaction makes random changes to an overlay, and returns the state after them.
func (m *machine) transaction(r *rapid.T) (*state.Overlay, map[string]string) {
	keys := rapid.Custom(func(r *rapid.T) string {
		return fmt.Sprintf("%s/%d", rapid.SampledFrom([]string{"a", "b", "b\xff"}).Draw(r, "customer"), rapid.IntRange(0, 4).Draw(r, "row"))
	})
	overlay, after := m.p.Begin(), maps.Clone(m.model)
	for range rapid.IntRange(0, 8).Draw(r, "steps") {
		switch rapid.SampledFrom([]string{"set", "set", "delete", "get", "scan"}).Draw(r, "step") {
		case "set":
			key, value := keys.Draw(r, "key"), fmt.Sprint(rapid.IntRange(0, 3).Draw(r, "value"))
			overlay.Set([]byte(key), []byte(value))
			after[key] = value
		case "delete":
			key := keys.Draw(r, "key")
			overlay.Delete([]byte(key))
			delete(after, key)
		case "get":
			key := keys.Draw(r, "key")
			got, there := after[key]
			require.Equal(r, there, overlay.Get([]byte(key)) != nil)
			require.Equal(r, got, string(overlay.Get([]byte(key))))
		case "scan":
			prefix := rapid.SampledFrom([]string{"", "a", "b", "b/", "b\xff", "c"}).Draw(r, "prefix")
			want := maps.Clone(after)
			maps.DeleteFunc(want, func(key, _ string) bool { return len(key) < len(prefix) || key[:len(prefix)] != prefix })
			var order []string
			for key := range overlay.Scan([]byte(prefix)) {
				order = append(order, string(key))
			}
			require.Equal(r, sorted(want), order)
			require.Equal(r, want, contents(overlay, prefix))
			from := rapid.SampledFrom([]string{"", "a/2", "b", "b/3", "b\xff", "c"}).Draw(r, "from")
			order = nil
			for key := range overlay.ScanFrom([]byte(prefix), []byte(from)) {
				order = append(order, string(key))
			}
			maps.DeleteFunc(want, func(key, _ string) bool { return key < from })
			require.Equal(r, sorted(want), order)
		}
	}
	return overlay, after
}
