package state_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

func TestAnOverlayReadsItsOwnWrites(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	topic := changelog(t, cluster, 3)
	o := own(t, quiet(t.TempDir(), topic, cluster), 2)
	o.set("a/1", "x", "a/3", "y", "b/1", "z")

	overlay := o.Begin()
	assert.Equal(t, "x", string(overlay.Get([]byte("a/1"))))
	assert.Nil(t, overlay.Get([]byte("a/2")))
	overlay.Set([]byte("a/2"), []byte("new"))
	overlay.Set([]byte("a/4"), []byte{})
	overlay.Delete([]byte("a/3"))
	overlay.Set([]byte("b/1"), []byte("z"))
	assert.Equal(t, map[string]string{"a/1": "x", "a/2": "new", "a/4": ""}, contents(overlay, "a/"))
	var order []string
	for key := range overlay.Scan(nil) {
		order = append(order, string(key))
		overlay.Set([]byte("a/1x"), []byte("set meanwhile"))
	}
	assert.Equal(t, []string{"a/1", "a/2", "a/4", "b/1"}, order)
	overlay.Delete([]byte("a/1x"))
	for key := range overlay.Scan(nil) {
		assert.Equal(t, "a/1", string(key))
		break
	}

	rows, err := overlay.Rows()
	require.NoError(t, err)
	assert.Equal(t, []string{"a/2", "a/3", "a/4", "\x00count"}, keysOf(rows), "only the changed rows and the count")
	for _, r := range rows {
		assert.Equal(t, topic, r.Topic)
		assert.Equal(t, 2, r.Partition)
	}
	assert.Nil(t, rows[1].Value, "a tombstone")
	assert.Equal(t, []byte{}, rows[2].Value, "empty is not deleted")
	overlay.Drop()
	assert.Equal(t, map[string]string{"a/1": "x", "a/3": "y", "b/1": "z"}, o.all(), "unchanged")
}

func TestUnchangedKeysAreNotWritten(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	o := own(t, quiet(t.TempDir(), changelog(t, cluster, 1), cluster), 0)
	o.set("a", "1")
	overlay := o.Begin()
	overlay.Set([]byte("a"), []byte("2"))
	overlay.Set([]byte("a"), []byte("1"))
	overlay.Delete([]byte("absent"))
	rows, err := overlay.Rows()
	require.NoError(t, err)
	assert.Empty(t, rows)
	overlay.Apply()
	assert.Equal(t, map[string]string{"a": "1"}, o.all())
}

func TestPartitionsDoNotMix(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 300), cluster)
	first := own(t, config, 255)
	second := &owner{t: t, store: first.store, Partition: first.store.Partition(256), producer: first.producer}
	require.NoError(t, second.TakeOver(t.Context()))
	first.set("\xff\xff", "first")
	second.set("\x01", "second")
	assert.Equal(t, map[string]string{"\xff\xff": "first"}, first.all())
	assert.Equal(t, map[string]string{"\x01": "second"}, second.all())
}

func TestReservedKeysAreRefused(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	o := own(t, quiet(t.TempDir(), changelog(t, cluster, 1), cluster), 0)
	for _, key := range []string{"", "\x00count"} {
		overlay := o.Begin()
		assert.Nil(t, overlay.Get([]byte(key)))
		overlay.Set([]byte(key), []byte("x"))
		_, err := overlay.Rows()
		require.ErrorContains(t, err, "reserved")
		overlay.Drop()
	}
}

// A partition that is not taken over, or whose last transaction has an unknown outcome, cannot be used.
func TestAPartitionMustBeTakenOver(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	o := own(t, quiet(t.TempDir(), changelog(t, cluster, 2), cluster), 0)
	o.set("a", "1")
	refused := func(why string) {
		t.Helper()
		overlay := o.Begin()
		assert.Nil(t, overlay.Get([]byte("a")))
		assert.Empty(t, contents(overlay, ""))
		overlay.Set([]byte("b"), []byte("x"))
		_, err := overlay.Rows()
		require.ErrorIs(t, err, kafka.ErrTakeOver, why)
		overlay.Apply()
	}
	o.Release()
	refused("released")
	require.NoError(t, o.TakeOver(t.Context()))

	lost := o.Begin()
	lost.Set([]byte("a"), []byte("2"))
	o.visible(lost)
	refused("unknown outcome of the last transaction")
	require.NoError(t, o.TakeOver(t.Context()))
	assert.Equal(t, map[string]string{"a": "2"}, o.all(), "the changelog has the outcome")

	abandoned := o.Begin()
	abandoned.Set([]byte("a"), []byte("3"))
	assert.Equal(t, map[string]string{"a": "2"}, o.all(), "without Rows nothing was written")
}

// A TakeOver between Rows and Apply has read the outcome of those rows, and what other owners wrote since.
func TestATakeOverEndsTheOverlay(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	topic := changelog(t, cluster, 1)
	o := own(t, quiet(t.TempDir(), topic, cluster), 0)
	overlay := o.Begin()
	overlay.Set([]byte("a"), []byte("mine"))
	o.visible(overlay)
	own(t, quiet(t.TempDir(), topic, cluster), 0).set("a", "another's", "b", "another's")
	require.NoError(t, o.TakeOver(t.Context()))
	overlay.Apply()
	assert.Equal(t, map[string]string{"a": "another's", "b": "another's"}, o.all())
}

// The position advances, so that a restart does not read everything again, but never beyond what the copy contains.
func TestThePositionAdvances(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	topic := changelog(t, cluster, 1)
	config := quiet(t.TempDir(), topic, cluster)
	o := own(t, config, 0)
	sets := 0
	require.Eventually(t, func() bool {
		o.set("k", fmt.Sprint(sets))
		sets++
		return sets > 50
	}, patience, 5*time.Millisecond)
	require.NoError(t, o.store.Close())
	log, seen := observed()
	config.Log = log
	own(t, config, 0)
	took := seen.FilterMessage("state restored").All()
	require.Len(t, took, 1)
	assert.Greater(t, took[0].ContextMap()["from"], int64(20), "of some 100 records")
}

// A process was stopped between the end of its transaction and Apply, while another owned the partition. It then fetches the end of
// the changelog, which is not the end of its copy.
func TestALateApplyDoesNotHideWhatOthersWrote(t *testing.T) {
	cluster := kafkatest.Embedded(t).Cluster()
	topic := changelog(t, cluster, 1)
	config := quiet(t.TempDir(), topic, cluster)
	config.AdvanceEvery = time.Millisecond
	late := own(t, config, 0)
	late.set("a", "1")
	overlay := late.Begin()
	overlay.Set([]byte("a"), []byte("2"))
	late.visible(overlay)
	other := own(t, quiet(t.TempDir(), topic, cluster), 0)
	other.set("b", "another's")
	time.Sleep(100 * time.Millisecond) // time to fetch the end of the changelog
	overlay.Apply()
	require.NoError(t, late.store.Close())
	o, why := again(t, config)
	assert.Empty(t, why, "the copy has what its position says")
	assert.Equal(t, map[string]string{"a": "2", "b": "another's"}, o.all())
}
