package recharge_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

func TestOtherResource(t *testing.T) {
	for _, c := range []struct {
		topic recharge.Topic
		body  string
		other string
	}{
		{"subscription/created", `{"charge":{"id":1}}`, "charge"},
		{"subscription/deleted", `{"order":{"id":1}}`, "order"},
		{"charge/paid", `{"subscription":{"id":1},"customer":{"id":2}}`, "customer"},
		{"order/processed", ` { "metafields" : [], "c\u0068arge" : {} } `, "charge"},
		{"customer/updated", `{"address":{"id":1}}`, "address"},
		{"charge/failed", `{"async_batch":{"id":1}}`, "async_batch"},

		{"subscription/created", `{"subscription":{"id":1}}`, ""},
		{"subscription/created", `{"customer":{"id":2},"subscription":{"id":1},"charge":{}}`, ""},
		{"subscription/created", `{"charge":{},"s\u0075bscription":null}`, ""},
		{"subscription/created", `{"charges":[{"id":1}]}`, ""},
		{"subscription/created", `{"payload":{"charge":{}}}`, ""},
		{"subscription/created", `{}`, ""},
		{"subscription/created", `[{"charge":{}}]`, ""},
		{"subscription/created", `"charge"`, ""},
		{"customer/payment_method_updated", `{"address":{"id":1}}`, ""},
		{"subscription/skipped", `{"charge":{"id":1}}`, ""},
		{"order/upcoming", `{"charge":{"id":1}}`, ""},
		{"async_batch/processed", `{"charge":{"id":1}}`, ""},
		{"store/updated", `{"customer":{"id":1}}`, ""},
		{"onetime/created", `{"subscription":{"id":1}}`, ""},
		{"subscription/unheard_of", `{"charge":{"id":1}}`, ""},
	} {
		found, valid := recharge.Inspect(c.topic, []byte(c.body))
		assert.True(t, valid)
		assert.Equal(t, c.other, found.OtherResource, "%s %s", c.topic, c.body)
	}
}

// No webhook of the golden cases is taken for another resource, with any topic of its resource: none of them is refused.
func TestOtherResourceOfSamples(t *testing.T) {
	paths, err := filepath.Glob("../../pipeline/testdata/*.txtar")
	require.NoError(t, err)
	bodies := 0
	for _, path := range paths {
		if strings.HasPrefix(filepath.Base(path), "refused_") {
			continue
		}
		archive, err := txtar.ParseFile(path)
		require.NoError(t, err)
		for _, file := range archive.Files {
			head, body, _ := strings.Cut(string(file.Data), "\n\n")
			if !strings.HasSuffix(file.Name, ".webhook") {
				continue
			}
			bodies++
			for _, topic := range topicsLike(head) {
				found, valid := recharge.Inspect(topic, []byte(body))
				assert.True(t, valid)
				assert.Empty(t, found.OtherResource, "%s %s %s", path, file.Name, topic)
			}
		}
	}
	assert.Greater(t, bodies, 100)
}

// topicsLike are the topics of the resource that the settings of a golden webhook name.
func topicsLike(head string) (topics []recharge.Topic) {
	for line := range strings.Lines(head) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "topic: ")
		for _, topic := range recharge.Topics() {
			if ok && topic.Resource() == recharge.Topic(name).Resource() {
				topics = append(topics, topic)
			}
		}
	}
	return topics
}

// The recorded and documented bodies that the decoder is tested with belong to every topic of their resource.
func TestOtherResourceOfRecordedBodies(t *testing.T) {
	paths, err := filepath.Glob("testdata/decode/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		body, err := os.ReadFile(path)
		require.NoError(t, err)
		resource, _, _ := strings.Cut(filepath.Base(path), "_")
		for _, topic := range recharge.Topics() {
			if topic.Resource() == resource {
				found, valid := recharge.Inspect(topic, body)
				assert.True(t, valid)
				assert.Empty(t, found.OtherResource, "%s %s", path, topic)
			}
		}
	}
}
