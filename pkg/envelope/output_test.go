package envelope_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

func raw() kafka.Record {
	return kafka.Record{
		Topic: "recharge.webhooks", Partition: 5, Offset: 41, Time: time.Date(2026, 3, 1, 10, 0, 9, 0, time.UTC),
		Headers: []kafka.Header{
			envelope.Header(envelope.HeaderReceivedAt, "2026-03-01T10:00:05Z"), envelope.Header(envelope.HeaderTraceparent, "00-trace"),
		},
	}
}

func output(value any) envelope.Output {
	return envelope.Output{
		Topic: "recharge.customers", Subject: "customers", Store: "acme", CustomerID: "7", Key: "7/1", Value: value,
		At: time.Date(2026, 3, 1, 11, 0, 0, 500, time.FixedZone("", 3600)),
	}
}

// A record is in the partition of its raw record, and has its lineage.
func TestRecords(t *testing.T) {
	records, _, err := new(envelope.Arena).Records([]envelope.Output{output(map[string]string{"name": "<&>"}), output(nil)}, raw())
	require.NoError(t, err)
	require.Len(t, records, 2)
	assert.Contains(t, string(records[0].Value), "<&>", "not escaped for HTML")
	assert.Nil(t, records[1].Value, "a tombstone")
	for _, r := range records {
		assert.Equal(t, "recharge.customers", r.Topic)
		assert.Equal(t, 5, r.Partition)
		assert.Equal(t, "acme/7/1", string(r.Key))
		for header, want := range map[string]string{
			envelope.HeaderCEID: "7/1/5/41", envelope.HeaderCEType: "rechargeflow.customers", envelope.HeaderCESource: "/stores/acme",
			envelope.HeaderCETime: "2026-03-01T10:00:00.0000005Z", envelope.HeaderCESubject: "customer/7", envelope.HeaderStore: "acme",
			envelope.HeaderReceivedAt: "2026-03-01T10:00:05Z", envelope.HeaderTraceparent: "00-trace",
			envelope.HeaderRawTopic: "recharge.webhooks", envelope.HeaderRawPartition: "5", envelope.HeaderRawOffset: "41",
		} {
			assert.Equal(t, want, r.Header(header), header)
		}
	}
}

// text appends itself as JSON: so many bytes.
type text int

func (n text) AppendJSON(b []byte) ([]byte, error) {
	if n < 0 {
		return nil, errors.New("negative")
	}
	return append(append(append(b, '"'), strings.Repeat("x", int(n))...), '"'), nil
}

// The records of a transaction share memory: none changes another, nor what is appended to one.
func TestRecordsOfOneArena(t *testing.T) {
	sizes := []text{0, 10, 5000, 1, 70_000, 200, 3000}
	var arena envelope.Arena
	var records []kafka.Record
	for range 200 {
		for _, size := range sizes {
			some, _, err := arena.Records([]envelope.Output{output(size), output(nil), output("other")}, raw())
			require.NoError(t, err)
			_ = append(some[0].Headers, envelope.Header("another", "x"))
			_ = append(some[0].Key, "another"...)
			_ = append(some[0].Value, "another"...)
			for _, h := range some[0].Headers {
				_ = append(h.Value, "another"...)
			}
			records = append(records, some...)
		}
	}
	for i, size := range sizes {
		want, _, err := new(envelope.Arena).Records([]envelope.Output{output(strings.Repeat("x", int(size))), output(nil), output("other")}, raw())
		require.NoError(t, err)
		for at := 3 * i; at < len(records); at += 3 * len(sizes) {
			require.Equal(t, want, records[at:at+3])
		}
	}
}

// A raw record goes to the partition of its key, and has a source.
func TestRawRecords(t *testing.T) {
	moved := output(1)
	moved.Source, moved.Key, moved.ID = envelope.SourceMoved, "", "id"
	records, _, err := new(envelope.Arena).Records([]envelope.Output{moved}, kafka.Record{Partition: 5})
	require.NoError(t, err)
	assert.Equal(t, kafka.ByKey, records[0].Partition)
	assert.Equal(t, "acme/7", string(records[0].Key))
	assert.Equal(t, "id", records[0].Header(envelope.HeaderCEID))
	assert.Equal(t, envelope.SourceMoved, records[0].Header(envelope.HeaderSource))
	assert.NotNil(t, records[0].Headers[9].Value, "a header that raw lacks is empty, not null")
}

// One output that can't be written is the reason to reject the raw record.
func TestRecordsRejected(t *testing.T) {
	for name, test := range map[string]struct {
		value any
		want  reason.Reason
	}{
		"not encodable":  {func() {}, reason.Malformed},
		"not appendable": {text(-1), reason.Malformed},
		"too large":      {strings.Repeat("x", deadletter.MaxRecordBytes), reason.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			records, why, err := new(envelope.Arena).Records([]envelope.Output{output(1), output(test.value)}, raw())
			require.Error(t, err)
			assert.Equal(t, test.want, why)
			assert.Empty(t, records)
		})
	}
}

func TestReceivedOrWritten(t *testing.T) {
	r := raw()
	assert.Equal(t, time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC), envelope.ReceivedOrWritten(r))
	r.Headers = nil
	assert.Equal(t, r.Time, envelope.ReceivedOrWritten(r))
}
