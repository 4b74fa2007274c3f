package envelope_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// A record is from the future if both this process's clock and the record's timestamp say so.
func TestTimeOfReceipt(t *testing.T) {
	received := time.Date(2026, 3, 1, 10, 0, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		now, written time.Time
		future       bool
	}{
		"at once":                    {received, received, false},
		"a day ahead":                {received.Add(-24 * time.Hour), received.Add(-24 * time.Hour), false},
		"more than a day ahead":      {received.Add(-25 * time.Hour), received.Add(-25 * time.Hour), true},
		"a slow clock":               {received.AddDate(-1, 0, 0), received, false},
		"a slow clock, some latency": {received.AddDate(-1, 0, 0), received.Add(time.Minute), false},
		"an old timestamp":           {received, received.AddDate(-1, 0, 0), false},
		"no timestamp":               {received.Add(-25 * time.Hour), time.Time{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			store, at, err := envelope.CheckRaw(kafka.Record{
				Key: []byte("acme/246936001"), Time: test.written,
				Headers: []kafka.Header{
					envelope.Header(envelope.HeaderStore, "acme"), envelope.Header(envelope.HeaderRechargeTopic, "charge/paid"),
					envelope.Header(envelope.HeaderReceivedAt, "2026-03-01T10:00:05Z"),
				},
			}, test.now)
			if test.future {
				require.EqualError(t, err, "header received_at is in the future: 2026-03-01T10:00:05Z")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "acme", store)
			assert.Equal(t, received, at)
		})
	}
}

// IsTopicPart is a regular expression written out.
func FuzzIsTopicPart(f *testing.F) {
	part := regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	for _, seed := range []string{"", "charge", "async_batch", "a1_", "1a", "_a", "A", "aZ", "a-b", "a\n", "ä", strings.Repeat("a", 64), strings.Repeat("a", 65)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		require.Equal(t, part.MatchString(text), envelope.IsTopicPart(text))
	})
}
