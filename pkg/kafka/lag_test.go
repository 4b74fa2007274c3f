package kafka_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
)

func lagReader(t *testing.T, cluster kafka.Cluster, now time.Time) *admin.LagReader {
	t.Helper()
	reader, err := admin.NewLagReader(cluster, func() time.Time { return now })
	require.NoError(t, err)
	t.Cleanup(reader.Close)
	return reader
}

// lagsOf returns the lags of all partitions of a topic.
func lagsOf(t *testing.T, reader *admin.LagReader, group, topic string) []admin.Lag {
	t.Helper()
	partitions, err := reader.Partitions(t.Context(), topic)
	require.NoError(t, err)
	lags, err := reader.Read(t.Context(), admin.LagQuery{Group: group, Partitions: partitions})
	require.NoError(t, err)
	return lags
}

// timed returns records a minute apart, the first at begin.
func timed(topic string, partition, count int, begin time.Time) []kafka.Record {
	records := numbered(topic, partition, count)
	for i := range records {
		records[i].Time = begin.Add(time.Duration(i) * time.Minute)
	}
	return records
}

func lagCounts(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 2)
	begin := time.Now().Add(-time.Hour).Truncate(time.Millisecond).UTC()
	produce(t, cluster, timed(topic, 0, 5, begin)...)
	reader := lagReader(t, cluster, begin.Add(10*time.Minute))
	r := behind(t, cluster, topic, topic, 2)
	committed := func() bool { return lagsOf(t, reader, topic, topic)[0].Committed == 2 }
	eventually(t, committed, "two committed")
	want := []admin.Lag{
		{Group: topic, Topic: topic, Partition: 0, Committed: 2, End: 5, Records: 3, Age: 8 * time.Minute},
		{Group: topic, Topic: topic, Partition: 1, Committed: admin.NeverCommitted},
	}
	assert.Equal(t, want, lagsOf(t, reader, topic, topic))
	assert.Equal(t, want, lagsOf(t, reader, topic, topic), "from memory")
	r.stop()

	consumeAll(t, cluster, quick(topic, topic), 3)
	assert.Equal(t, admin.Lag{Group: topic, Topic: topic, Committed: 5, End: 5}, lagsOf(t, reader, topic, topic)[0])

	produce(t, cluster, timed(topic, 0, 1, begin.Add(time.Hour))...)
	assert.Equal(t, admin.Lag{Group: topic, Topic: topic, Committed: 5, End: 6, Records: 1}, lagsOf(t, reader, topic, topic)[0],
		"a record from the future is not older than now")
}

func lagOfUnknownGroup(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	begin := time.Now().Add(-time.Hour).Truncate(time.Millisecond).UTC()
	reader := lagReader(t, cluster, begin.Add(time.Minute))
	want := admin.Lag{Group: topic, Topic: topic, Committed: admin.NeverCommitted}
	assert.Equal(t, []admin.Lag{want}, lagsOf(t, reader, topic, topic))
	produce(t, cluster, timed(topic, 0, 3, begin)...)
	want.End, want.Records, want.Age = 3, 3, time.Minute
	lags := lagsOf(t, reader, topic, topic)
	assert.Equal(t, []admin.Lag{want}, lags)
	require.NoError(t, reader.Members(t.Context(), lags))
	assert.Equal(t, []admin.Lag{want}, lags, "no member owns it")

	lags, err := reader.Read(t.Context(), admin.LagQuery{Group: topic, Partitions: map[string][]int{topic: nil}}, admin.LagQuery{Group: topic})
	require.NoError(t, err)
	assert.Empty(t, lags, "no partition in the query")
	_, err = reader.Partitions(t.Context(), "absent")
	require.ErrorContains(t, err, "topic absent: topic does not exist")
	id, err := reader.ClusterID(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, id)
}

func lagEndsAtOpenTransaction(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	begin := time.Now().Add(-time.Hour).Truncate(time.Millisecond).UTC()
	produce(t, cluster, timed(topic, 0, 2, begin)...)
	open(t, cluster, topic, 0, "open", "open")
	lag := lagsOf(t, lagReader(t, cluster, begin.Add(time.Minute)), topic, topic)[0]
	assert.EqualValues(t, 2, lag.End)
	assert.EqualValues(t, 2, lag.Records)
	assert.Equal(t, time.Minute, lag.Age)
}

// lagSkipsMarkers: offsets with markers only count as records, without an age.
func lagSkipsMarkers(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	commitTransaction(t, cluster.Brokers, topic, "0") // offsets 0, and 1 for the marker
	r := behind(t, cluster, topic, topic, 1)
	reader := lagReader(t, cluster, time.Now().Add(time.Hour))
	eventually(t, func() bool { return lagsOf(t, reader, topic, topic)[0].Committed > 0 }, "committed")
	r.stop()
	lag := lagsOf(t, reader, topic, topic)[0]
	assert.LessOrEqual(t, lag.Records, int64(1))
	assert.Zero(t, lag.Age)
	commitTransaction(t, cluster.Brokers, topic, "2")
	eventually(t, func() bool { // markers are written a moment after the transaction was committed
		lag = lagsOf(t, reader, topic, topic)[0]
		return lag.Records >= 2
	}, "the end is committed")
	assert.InDelta(t, time.Hour, lag.Age, float64(time.Minute), "of the record behind the marker")
}

func lagHasMembers(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 2)
	r := behind(t, cluster, topic, topic, 0)
	eventually(t, func() bool { return assigned(r) }, "assigned")
	reader := lagReader(t, cluster, time.Now())
	lags := lagsOf(t, reader, topic, topic)
	require.NoError(t, reader.Members(t.Context(), lags))
	for _, lag := range lags {
		assert.NotEmpty(t, lag.Member)
		assert.NotNil(t, net.ParseIP(lag.Host), lag.Host) // a broker in a container sees another address of its host
	}
}

// membersShowWhatTheyRun: of two members one has no partition, and one does not say what it runs.
func membersShowWhatTheyRun(t *testing.T, cluster kafka.Cluster) {
	topic := newTopic(t, cluster, 1)
	reader := lagReader(t, cluster, time.Now())
	none, err := reader.GroupMembers(t.Context(), topic)
	require.NoError(t, err)
	assert.Empty(t, none, "a group that does not exist")

	info := kafka.MemberInfo{Version: "v1.2.3", Configuration: "0123456789ab", Started: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}
	silent, speaking := quick(topic, topic), quick(topic, topic)
	speaking.Info = info
	for _, config := range []kafka.ConsumerConfig{silent, speaking} {
		run(t, cluster, config, zap.NewNop(), func(context.Context, []kafka.Record) (kafka.Finished, error) { return kafka.Finished{}, errNotNow })
	}
	var members []admin.Member
	eventually(t, func() bool {
		members, err = reader.GroupMembers(t.Context(), topic)
		return err == nil && len(members) == 2 && members[0].HasInfo && members[1].HasInfo
	}, "two members that are described")
	assert.ElementsMatch(t, []kafka.MemberInfo{info, {}}, []kafka.MemberInfo{members[0].Info, members[1].Info})
	for _, m := range members {
		assert.NotNil(t, net.ParseIP(m.Host), m.Host)
	}
	assert.Less(t, members[0].ID, members[1].ID)
}

// User data of other programs, such as none or those of Kafka's own assignors, are not taken for ours.
func TestReadMemberInfo(t *testing.T) {
	for name, c := range map[string]struct {
		userData string
		want     kafka.MemberInfo
		ok       bool
	}{
		"none":                {"", kafka.MemberInfo{}, false},
		"not JSON":            {"\x00\x00\x00\x01", kafka.MemberInfo{}, false},
		"other JSON":          {`{"version":"v1"}`, kafka.MemberInfo{}, false},
		"an earlier version":  {`{"generation":3,"numbers":[0,1]}`, kafka.MemberInfo{}, true},
		"before it had any":   {`{"generation":0,"numbers":null}`, kafka.MemberInfo{}, true},
		"a version":           {`{"version":"v1","configuration":"ab","generation":3,"numbers":[0]}`, kafka.MemberInfo{Version: "v1", Configuration: "ab"}, true},
		"of a later version":  {`{"version":"v2","colour":"red","generation":3}`, kafka.MemberInfo{Version: "v2"}, true},
		"a time out of shape": {`{"version":"v2","started":"soon","generation":3}`, kafka.MemberInfo{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			info, ok := kafka.ReadMemberInfo([]byte(c.userData))
			assert.Equal(t, c.want, info)
			assert.Equal(t, c.ok, ok)
		})
	}
}

// TestLagCachesOldest: the oldest record of a group without progress is fetched once.
func TestLagCachesOldest(t *testing.T) {
	fake, cluster := faulty(t)
	begin := time.Now().Add(-time.Hour)
	produce(t, cluster, timed("t", 0, 5, begin)...)
	reader := lagReader(t, cluster, begin.Add(time.Minute))
	var fetches atomic.Int64
	fake.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		fetches.Add(1)
		return nil, nil, false
	})
	for range 3 {
		lags, err := reader.Read(t.Context(),
			admin.LagQuery{Group: "a", Partitions: map[string][]int{"t": {0, 1}}}, admin.LagQuery{Group: "b", Partitions: map[string][]int{"t": {0}}})
		require.NoError(t, err)
		require.Len(t, lags, 3)
		assert.InDelta(t, time.Minute, lags[0].Age, float64(time.Second))
		assert.Zero(t, lags[1].Age)
		assert.Equal(t, lags[0].Age, lags[2].Age)
	}
	assert.EqualValues(t, 1, fetches.Load(), "one for both groups")
}

func TestLagFails(t *testing.T) {
	fake, cluster := faulty(t)
	produce(t, cluster, numbered("t", 0, 1)...)
	reader := lagReader(t, cluster, time.Now())
	for key, want := range map[kmsg.Key]string{
		kmsg.ListOffsets: "list offsets", kmsg.OffsetFetch: "fetch offsets of group g", kmsg.Fetch: "read oldest record of partition 0 of topic t",
	} {
		fault := fake.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		_, err := reader.Read(t.Context(), admin.LagQuery{Group: "g", Partitions: map[string][]int{"t": {0}}})
		require.ErrorContains(t, err, want)
		fault.Remove()
	}
	_, err := admin.NewLagReader(kafka.Cluster{}, time.Now)
	require.ErrorContains(t, err, "no Kafka brokers configured")
}
