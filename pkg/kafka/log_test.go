package kafka_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry/telemetrytest"
)

// logLines is a log that can be read while it is written.
type logLines struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (l *logLines) Write(line []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.Write(line)
}

func (l *logLines) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.String()
}

// TestLogLines: what goes wrong names topic and partition in the same way everywhere, and no line has a key twice.
func TestLogLines(t *testing.T) {
	fake, cluster := faulty(t)
	lines := &logLines{}
	log, _, err := telemetry.NewLogger("debug", lines)
	require.NoError(t, err)
	produce(t, cluster, numbered("t", 1, 3)...)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition, Count: 1})
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.CoordinatorNotAvailable, Count: 1})
	failed := false
	r := run(t, cluster, quick("g", "t"), log, func(_ context.Context, records []kafka.Record) (kafka.Finished, error) {
		if !failed {
			failed = true
			return kafka.Finished{}, assert.AnError
		}
		return kafka.Finished{First: len(records)}, nil
	})
	for _, line := range []string{
		`"msg":"handler failed, backing off","group":"g","generation":1,"partition":1,"topic":"t","offset":0,`,
		`"msg":"fetch records failed, retrying","group":"g","generation":1,"topic":"t","partition":`, // of whichever partition is fetched first
		`"msg":"partitions assigned"`,
	} {
		require.Eventually(t, func() bool { return strings.Contains(lines.String(), line) }, patience, 10*time.Millisecond, "%s\n%s", line, lines)
	}
	r.stop()
	require.NoError(t, telemetrytest.CheckKeys(lines.String()))
}
