package main

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// writeRecords writes the records of a file: records prefix file. Each line is a JSON object with topic, key, time, headers and value, which is null for a
// tombstone. The partition is that of {store}/{customer}, the beginning of the key. "{-36h}" is the time 36 hours ago.
func writeRecords(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: records prefix file")
	}
	ctx, cluster := context.Background(), kafka.Cluster{Brokers: []string{ts.Getenv("BROKER")}}
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	for line := range bytes.Lines([]byte(ts.ReadFile(args[1]))) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var r struct {
			Topic, Key string
			Time       time.Time // now if it is missing
			Headers    map[string]string
			Value      json.RawMessage
		}
		ts.Check(json.Unmarshal(aged(line, time.Now()), &r))
		record := kafka.Record{Topic: args[0] + r.Topic, Partition: kafka.ByKey, Key: []byte(r.Key), Time: r.Time}
		if string(r.Value) != "null" {
			record.Value = r.Value
		}
		for name, value := range r.Headers {
			record.Headers = append(record.Headers, kafka.Header{Key: name, Value: []byte(value)})
		}
		if parts := strings.SplitN(r.Key, "/", 3); r.Topic != "recharge.consent" {
			reader, err := kafka.NewTopicReader(cluster, record.Topic)
			ts.Check(err)
			numbers, err := reader.Partitions(ctx)
			ts.Check(err)
			reader.Close()
			record.Partition = kafka.PartitionCount{}.Of([]byte(strings.Join(parts[:2], "/")), len(numbers))
		}
		ts.Check(producer.Produce(ctx, record))
	}
	ts.Check(producer.Close())
}

// aged replaces "{-36h}" by a time.
func aged(line []byte, now time.Time) []byte {
	return regexp.MustCompile(`\{-\d+[smh]\}`).ReplaceAllFunc(line, func(age []byte) []byte {
		d, err := time.ParseDuration(string(bytes.Trim(age, "{}")))
		if err != nil {
			return age
		}
		return []byte(now.Add(d).UTC().Format(time.RFC3339))
	})
}
