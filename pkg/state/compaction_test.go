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

// Compaction removes replaced rows, and tombstones after their retention. A copy that still has what they
// deleted must not be continued; one that was made before is continued as long as they are there.
func TestCompactionRemovesWhatWasDeleted(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Apache Kafka; run without -short")
	}
	cluster := kafkatest.Real(t).Cluster()
	config := quiet(t.TempDir(), changelog(t, cluster, 1,
		"segment.ms", "500", "min.cleanable.dirty.ratio", "0.01", "delete.retention.ms", "500", "file.delete.delay.ms", "100"), cluster)
	o := own(t, config, 0)
	for i := range 50 {
		o.set(fmt.Sprintf("gone %d", i), "x", fmt.Sprintf("stays %d", i%5), fmt.Sprint(i))
	}
	require.NoError(t, o.store.Close())
	before := copyDir(t, config.Dir)
	o = own(t, config, 0)
	for i := range 50 {
		o.set(fmt.Sprintf("gone %d", i), "")
	}
	left := func() (records, gone int) {
		for r, err := range kafka.Scan(t.Context(), cluster, config.Topic, time.Time{}) {
			require.NoError(t, err)
			records++
			if string(r.Key[:4]) == "gone" {
				gone++
			}
		}
		return records, gone
	}
	require.Eventually(t, func() bool {
		o.set("more", time.Now().String()) // a segment is closed when another record comes
		_, gone := left()
		return gone == 0
	}, time.Minute, 300*time.Millisecond, "the cleaner removes tombstones too")
	records, _ := left()
	t.Logf("%d records are left of 250 and more", records)
	want := o.all()
	assert.Len(t, want, 6)
	assert.Equal(t, want, own(t, quiet(t.TempDir(), config.Topic, cluster), 0).all())
	config.Dir = before
	old, why := again(t, config)
	assert.Contains(t, why, "too old")
	assert.Equal(t, want, old.all())
}
