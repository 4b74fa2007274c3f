package smstest_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// post sends a body signed at a time and returns the status and the answer.
func post(t *testing.T, g *smstest.Gateway, body string, at time.Time) (int, string) {
	t.Helper()
	stamp := strconv.FormatInt(at.Unix(), 10)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL, strings.NewReader(body))
	require.NoError(t, err)
	req.Close = true
	req.Header.Set(webhook.TimestampHeader, stamp)
	req.Header.Set(webhook.SignatureHeader, webhook.Sign("s", stamp, []byte(body)))
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(got)
}

func TestGatewayChecksRequests(t *testing.T) {
	tests := []struct {
		name, body string
		at         time.Time
		status     int
		want       string
	}{
		{"good", `{"id":"1","to":"+14155552671","body":"hi"}`, noon, 200, "gw-1"},
		{"old", `{"id":"1","to":"+14155552671","body":"hi"}`, noon.Add(-6 * time.Minute), 401, "timestamp"},
		{"too early", `{"id":"1","to":"+14155552671","body":"hi"}`, noon.Add(6 * time.Minute), 401, "timestamp"},
		{"not JSON", `id=1`, noon, 400, "decode body"},
		{"no id", `{"to":"+14155552671","body":"hi"}`, noon, 422, "id is missing"},
		{"no body", `{"id":"1","to":"+14155552671","body":" "}`, noon, 422, "body is missing"},
		{"no number", `{"id":"1","body":"hi"}`, noon, 422, "E.164"},
		{"not E.164", `{"id":"1","to":"(415) 555-2671","body":"hi"}`, noon, 422, "E.164"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := smstest.New("s", func() time.Time { return noon })
			defer g.Close()
			status, answer := post(t, g, tt.body, tt.at)
			assert.Equal(t, tt.status, status)
			assert.Contains(t, answer, tt.want)
			if tt.status != http.StatusOK {
				assert.Empty(t, g.Texts())
				require.Len(t, g.Refused(), 1)
			}
		})
	}
	g := smstest.New("other", func() time.Time { return noon })
	defer g.Close()
	status, _ := post(t, g, `{"id":"1","to":"+14155552671","body":"hi"}`, noon)
	assert.Equal(t, 401, status)
}

func TestGatewayDuplicates(t *testing.T) {
	g := smstest.New("s", func() time.Time { return noon })
	defer g.Close()
	for _, body := range []string{
		`{"id":"1","to":"+14155552671","body":"hi"}`,
		`{"id":"2","to":"+14155552671","body":"hello"}`,
		`{"id":"3","to":"+14155552672","body":"hi"}`,
		`{"id":"1","to":"+14155552673","body":"same key"}`,
		`{"id":"4","to":"+14155552671","body":"hi"}`,
	} {
		status, _ := post(t, g, body, noon)
		require.Equal(t, 200, status)
	}
	require.Len(t, g.Texts(), 5)
	assert.Equal(t, []smstest.Text{
		{ID: "1", To: "+14155552673", Body: "same key"}, {ID: "4", To: "+14155552671", Body: "hi"},
	}, g.Duplicates())
}

func TestGatewayBehavioursInOrder(t *testing.T) {
	g := smstest.New("s", func() time.Time { return noon })
	defer g.Close()
	g.Next(2, smstest.Behaviour{Status: 429})
	g.Next(1, smstest.Behaviour{})
	g.Next(1, smstest.Behaviour{Accept: true, Status: 503, Body: "<html>"})
	var statuses []int
	for i := range 5 {
		status, _ := post(t, g, `{"id":"`+strconv.Itoa(i)+`","to":"+14155552671","body":"hi `+strconv.Itoa(i)+`"}`, noon)
		statuses = append(statuses, status)
	}
	assert.Equal(t, []int{429, 429, 500, 503, 200}, statuses)
	assert.Len(t, g.Texts(), 2)
	assert.Equal(t, 5, g.Requests())
}
