package kafkatest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

const (
	// javaTimeout limits the run of one of Kafka's programs.
	javaTimeout = 10 * time.Minute
	// idleTimeout is how long Kafka's consumer waits for another record before it stops.
	idleTimeout = 10 * time.Second
	// headerSeparator occurs nowhere else: bytes of records are printed as ASCII, others and the backslash
	// as \x and two digits (org.apache.kafka.common.utils.Bytes).
	headerSeparator = "\x1f"
)

// JavaConsume returns a topic's records as read by Kafka's console consumer, each partition in order: all, or committed ones
// only. It takes idleTimeout longer than reading. The keys of headers must not contain a colon.
func JavaConsume(t testing.TB, cluster kafka.Cluster, topic string, readCommitted bool) []kafka.Record {
	t.Helper()
	j := needJava(t)
	isolation := "read_uncommitted"
	if readCommitted {
		isolation = "read_committed"
	}
	ctx, cancel := context.WithTimeout(t.Context(), javaTimeout)
	defer cancel()
	null := rand.Text() // passed through the deserializer like a record's value, so no record may have it
	const asBytes = "org.apache.kafka.common.serialization.BytesDeserializer"
	options := append(small(brokerHeap), "-Dlog4j2.configurationFile="+logToStderr(t))
	command := j.command(ctx, options, "org.apache.kafka.tools.consumer.ConsoleConsumer",
		"--bootstrap-server", strings.Join(cluster.Brokers, ","), "--topic", topic, "--from-beginning",
		"--isolation-level", isolation, "--timeout-ms", strconv.FormatInt(idleTimeout.Milliseconds(), 10),
		"--formatter-property", "print.timestamp=true", "--formatter-property", "print.partition=true",
		"--formatter-property", "print.offset=true", "--formatter-property", "print.headers=true",
		"--formatter-property", "print.key=true", "--formatter-property", "key.separator=\t",
		"--formatter-property", "headers.separator="+headerSeparator, "--formatter-property", "null.literal="+null,
		"--formatter-property", "key.deserializer="+asBytes, "--formatter-property", "value.deserializer="+asBytes,
		"--formatter-property", "headers.deserializer="+asBytes,
	)
	var printed, logged bytes.Buffer
	command.Stdout, command.Stderr = &printed, &logged
	require.NoErrorf(t, command.Run(), "Kafka's console consumer: %s", &logged)
	records, err := printer{null: null}.records(topic, printed.String())
	require.NoErrorf(t, err, "Kafka's console consumer: %s", &logged)
	require.Containsf(t, logged.String(), "common.errors.TimeoutException", "Kafka's console consumer stopped for another reason")
	require.Containsf(t, logged.String(), fmt.Sprintf("Processed a total of %d messages", len(records)), "Kafka's console consumer printed other records")
	return records
}

// logToStderr returns a log configuration of Kafka that keeps the log out of the printed records.
func logToStderr(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "log4j2.properties")
	require.NoError(t, os.WriteFile(file, []byte(`rootLogger.level=error
rootLogger.appenderRef.stderr.ref=stderr
appender.stderr.type=Console
appender.stderr.name=stderr
appender.stderr.target=SYSTEM_ERR
`), 0o600))
	return file
}

// printer parses the output of Kafka's DefaultMessageFormatter.
type printer struct{ null string }

func (p printer) records(topic, printed string) (records []kafka.Record, err error) {
	for line := range strings.Lines(printed) {
		record, err := p.record(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("parse %q: %w", line, err)
		}
		record.Topic = topic
		records = append(records, record)
	}
	return records, nil
}

// record parses a line such as
//
//	CreateTime:1767323045678 \t Partition:0 \t Offset:12 \t name:value,… \t key \t value
//
// with NO_HEADERS for none.
func (p printer) record(line string) (r kafka.Record, err error) {
	const fields = 6
	field := strings.Split(line, "\t")
	if len(field) != fields {
		return r, fmt.Errorf("line has %d fields, expected %d", len(field), fields)
	}
	at, failedTime := number(field[0], "CreateTime:")
	partition, failedPartition := number(field[1], "Partition:")
	offset, failedOffset := number(field[2], "Offset:")
	headers, failedHeaders := p.headers(field[3])
	key, failedKey := p.bytes(field[4])
	value, failedValue := p.bytes(field[5])
	r = kafka.Record{
		Partition: int(partition), Offset: offset, Time: time.UnixMilli(at).UTC(), Headers: headers, Key: key, Value: value,
	}
	return r, errors.Join(failedTime, failedPartition, failedOffset, failedHeaders, failedKey, failedValue)
}

func number(field, prefix string) (int64, error) {
	digits, ok := strings.CutPrefix(field, prefix)
	if !ok {
		return 0, fmt.Errorf("field %s is missing", prefix)
	}
	return strconv.ParseInt(digits, 10, 64)
}

func (p printer) headers(field string) (headers []kafka.Header, err error) {
	if field == "NO_HEADERS" {
		return nil, nil
	}
	for each := range strings.SplitSeq(field, headerSeparator) {
		key, escaped, ok := strings.Cut(each, ":")
		if !ok {
			return nil, fmt.Errorf("header %q has no value", each)
		}
		value, err := p.bytes(escaped)
		if err != nil {
			return nil, err
		}
		headers = append(headers, kafka.Header{Key: key, Value: value})
	}
	return headers, nil
}

// bytes parses the output of Bytes.toString.
func (p printer) bytes(printed string) ([]byte, error) {
	if printed == p.null {
		return nil, nil
	}
	content := make([]byte, 0, len(printed))
	for i := 0; i < len(printed); i++ {
		if printed[i] != '\\' {
			content = append(content, printed[i])
			continue
		}
		if len(printed) < i+4 || printed[i+1] != 'x' {
			return nil, fmt.Errorf("invalid escape at byte %d of %q", i, printed)
		}
		b, err := strconv.ParseUint(printed[i+2:i+4], 16, 8)
		if err != nil {
			return nil, err
		}
		content = append(content, byte(b))
		i += 3
	}
	return content, nil
}
