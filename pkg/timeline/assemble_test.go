package timeline_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

var update = flag.Bool("update", false, "rewrite want.txt of the golden cases")

// record is a line of records.jsonl. Its topic has no prefix, its partition is 3 and its key acme/42 unless others are given.
type record struct {
	Topic     string            `json:"topic"`
	Partition *int              `json:"partition"`
	Offset    int64             `json:"offset"`
	Time      time.Time         `json:"time"`
	Key       string            `json:"key"`
	Headers   map[string]string `json:"headers"`
	Value     json.RawMessage   `json:"value"`
}

func (r record) kafka() kafka.Record {
	partition, key := 3, "acme/42"
	if r.Partition != nil {
		partition = *r.Partition
	}
	if r.Key != "" {
		key = r.Key
	}
	out := kafka.Record{Topic: "recharge." + r.Topic, Partition: partition, Offset: r.Offset, Key: []byte(key), Time: r.Time}
	if string(r.Value) != "null" {
		out.Value = r.Value
	}
	for name, value := range r.Headers {
		out.Headers = append(out.Headers, kafka.Header{Key: name, Value: []byte(value)})
	}
	slices.SortFunc(out.Headers, func(a, b kafka.Header) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// options is the file options.json.
type options struct {
	SMS        bool     `json:"sms"`
	NoTracking bool     `json:"no_tracking"`
	API        bool     `json:"api"`
	Extras     []string `json:"extras"`
	Reveal     bool     `json:"reveal"`
}

func (o options) sinks() (sinks []topology.Role) {
	if !o.NoTracking {
		sinks = append(sinks, topology.RoleTracking)
	}
	if o.SMS {
		sinks = append(sinks, topology.RoleSMS)
	}
	return sinks
}

// Each case is an archive: records.jsonl with the records of a customer, committed.json with the offsets of groups, options.json with the
// store, if it is another than one with events alone; and want.txt, a line for each entry. Its first lines say what it is about. -update writes want.txt.
func TestAssemble(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			require.NoError(t, err)
			got := assembled(t, archive)
			at := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want.txt" })
			require.GreaterOrEqual(t, at, 0)
			if *update {
				archive.Files[at].Data = []byte(got)
				require.NoError(t, os.WriteFile(path, txtar.Format(archive), 0o600))
			}
			assert.Equal(t, string(archive.Files[at].Data), got)
		})
	}
}

func assembled(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	var o options
	found := timeline.Records{Customer: timeline.Customer{Store: "acme", ID: "42"}, Partition: 3, Partitions: 12}
	for _, file := range archive.Files {
		switch file.Name {
		case "options.json":
			require.NoError(t, json.Unmarshal(file.Data, &o))
		case "committed.json":
			require.NoError(t, json.Unmarshal(file.Data, &found.Committed))
		case "records.jsonl":
			decoder := json.NewDecoder(bytes.NewReader(file.Data))
			for decoder.More() {
				var r record
				require.NoError(t, decoder.Decode(&r))
				found.Found = append(found.Found, r.kafka())
			}
		}
	}
	shown, err := timeline.Assemble(found, timeline.Options{
		Settings: subscriber.Settings{Store: "acme", CustomerID: subscriber.ByEmail, ActiveProperty: true, SMS: o.SMS, API: o.API, Extras: o.Extras},
		Sinks:    o.sinks(), Reveal: o.Reveal,
	})
	require.NoError(t, err)
	var lines strings.Builder
	fmt.Fprintf(&lines, "customer %s %s\n", shown.Key(), shown.Email)
	for _, e := range shown.Entries {
		write(&lines, e, "")
	}
	return lines.String()
}

// write writes an entry as a line, and those that belong to it.
func write(out *strings.Builder, e timeline.Entry, indent string) {
	fields := []string{e.At.UTC().Format("15:04:05.000"), string(e.Kind), e.Type, string(e.State)}
	if e.Likely {
		fields = append(fields, "likely")
	}
	fields = append(fields, string(e.Reason))
	if e.LatencyMS != nil {
		fields = append(fields, fmt.Sprintf("+%dms", *e.LatencyMS))
	}
	fields = append(fields, e.Record)
	if e.Detail != "" {
		fields = append(fields, "("+e.Detail+")")
	}
	fields = append(fields, string(e.Value))
	fmt.Fprintf(out, "%s%s\n", indent, strings.Join(slices.DeleteFunc(fields, func(f string) bool { return f == "" }), " "))
	for _, each := range e.Entries {
		write(out, each, indent+"  ")
	}
}
