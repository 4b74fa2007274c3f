package story_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// Bounds of the gateway under attack, as docs/security.md states them.
const (
	maxResident = 200 << 20
	maxLatency  = 4 * time.Second // Recharge gives up after 5 s
)

const (
	attackTime    = 1500 * time.Millisecond
	aboveTheLimit = "3,000 connections" // of gateway.max_connections
)

const (
	attackedTopic = recharge.Topic("subscription/updated")
	honestBody    = `{"subscription":{"id":784594001,"customer_id":246936001,"status":"active"}}`
)

// TestAttack: strangers and the owner of a captured webhook attack the gateway. The captured webhook counts for its own address only.
// Whatever strangers send, every honest webhook is accepted in time, and the memory of the process stays within its bound.
func TestAttack(t *testing.T) {
	broker := kafkatest.Real(t)
	l := newLab(t)
	l.Brokers, l.Prefix = []string{broker.Addr()}, lab.RandomPrefix("attack")
	require.NoError(t, l.ApplyTopics(t.Context()))
	p, err := l.Launch(t.Context(), []string{"RECHARGEFLOW_STORE_ACME_RECHARGE_REQUIRE_ADDRESS_TOKEN=true"}, string(topology.RoleGateway))
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	require.NoError(t, p.AwaitReady(t.Context()), p.Output())

	captured(t, l)
	for name, attack := range map[string]func(ctx context.Context, address string){
		"1,000 bodies of 512 KB": many(1000, func(c net.Conn) {
			_, _ = io.WriteString(c, head("Content-Length: 524288")+strings.Repeat("x", 512<<10))
		}),
		"200 slow ones": many(200, func(c net.Conn) {
			_, _ = io.WriteString(c, head("Content-Length: 524288")+strings.Repeat("x", 100<<10))
		}),
		"endless chunks": many(50, func(c net.Conn) {
			endless(c, head("Transfer-Encoding: chunked"), "10000\r\n"+strings.Repeat("x", 0x10000)+"\r\n")
		}),
		"a header of 900 KB": many(50, func(c net.Conn) {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nX: "+strings.Repeat("x", 900<<10)+"\r\n\r\n")
		}),
		aboveTheLimit: many(3000, func(c net.Conn) { _, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: ") }),
	} {
		t.Run(name, func(t *testing.T) {
			honest := sendDuring(t, l, func(ctx context.Context) { attack(ctx, l.Gateway) })
			t.Logf("%d honest webhooks, the slowest took %s; resident memory at most %d MB", honest.sent, honest.slowest.Round(time.Millisecond), resident(t, p.PID())>>20)
			allowed := 0
			if name == aboveTheLimit { // a new connection may be closed before its request is read, if thousands come at once
				allowed = honest.sent / 100
			}
			assert.LessOrEqual(t, len(honest.refused), allowed, honest.refused)
			assert.Positive(t, honest.sent)
			assert.Less(t, honest.slowest, maxLatency)
			assert.Less(t, resident(t, p.PID()), maxResident)
		})
	}
	page, err := p.Metrics(t.Context())
	require.NoError(t, err)
	assert.Contains(t, page, `reason="header_too_large",role="gateway",store="unknown"`)
	assert.Contains(t, page, `rechargeflow_gateway_response_seconds_count{status="431"}`)
	assert.NotContains(t, p.Output(), admission.Token(lab.Store, attackedTopic, lab.Secret))
}

// captured replays a webhook: to its address, without its timestamped signature, and to the addresses of other topics.
func captured(t *testing.T, l *lab.Lab) {
	t.Helper()
	own := admission.Path(lab.Store, attackedTopic, lab.Secret)
	headers := http.Header{}
	rechargetest.Sign(headers, []byte(honestBody), lab.Secret, time.Now())
	legacy := http.Header{recharge.HeaderLegacySignature: headers[recharge.HeaderLegacySignature]}
	token := own[strings.LastIndexByte(own, '/'):]
	for _, attempt := range []struct {
		path    string
		headers http.Header
		status  int
		reason  string
	}{
		{own, headers, 200, ""},
		{own, headers, 200, ""}, // a replay: the transformer knows the fact
		{own, legacy, 401, "signature_stripped"},
		{"/webhooks/acme/subscription/deleted" + token, headers, 401, "bad_address_token"},
		{"/webhooks/acme/subscription/deleted", headers, 401, "no_address_token"},
		{"/webhooks/acme/subscription/deleted", legacy, 401, "no_address_token"},
		{admission.Path(lab.Store, "charge/paid", lab.Secret), headers, 400, "other_resource"},
	} {
		status, answer, err := post(t.Context(), http.DefaultClient, l.Gateway, attempt.path, attempt.headers)
		require.NoError(t, err)
		assert.Equal(t, attempt.status, status, attempt.path)
		assert.Contains(t, answer, attempt.reason)
	}
}

func post(ctx context.Context, client *http.Client, address, path string, headers http.Header) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+path, bytes.NewReader([]byte(honestBody)))
	if err != nil {
		return 0, "", fmt.Errorf("build request: %w", err)
	}
	r.Header = headers
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }() // read to its end
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// honest is what Recharge sees.
type honest struct {
	sent    int
	slowest time.Duration
	refused []string
}

// sendDuring sends honest webhooks, each over a connection of its own, until the attack has ended.
func sendDuring(t *testing.T, l *lab.Lab, attack func(context.Context)) honest {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), attackTime)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		attack(ctx)
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	path := admission.Path(lab.Store, attackedTopic, lab.Secret)
	var h honest
	for ctx.Err() == nil {
		headers, began := http.Header{}, time.Now()
		rechargetest.Sign(headers, []byte(honestBody), lab.Secret, began)
		status, answer, err := post(t.Context(), client, l.Gateway, path, headers)
		h.sent++
		h.slowest = max(h.slowest, time.Since(began))
		if err != nil || status != http.StatusOK {
			h.refused = append(h.refused, fmt.Sprint(status, answer, err))
		}
	}
	<-ended
	return h
}

// many attacks over connections at once, until ctx ends.
func many(connections int, attack func(net.Conn)) func(context.Context, string) {
	return func(ctx context.Context, address string) {
		var group sync.WaitGroup
		for range connections {
			group.Go(func() {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
				if err != nil {
					return // the gateway has closed it
				}
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				attack(conn)
				_, _ = io.Copy(io.Discard, conn) // until the gateway or the end of the attack closes it
				_ = conn.Close()
			})
		}
		group.Wait()
	}
}

func head(more string) string {
	return "POST /webhooks/acme/" + string(attackedTopic) + "/" + admission.Token(lab.Store, attackedTopic, lab.Secret) +
		" HTTP/1.1\r\nHost: gateway\r\nX-Recharge-Hmac-Sha256: 00\r\nX-Recharge-Webhook-Signature: t=1,v1=00\r\n" + more + "\r\n\r\n"
}

// endless repeats a chunk until the connection is closed.
func endless(conn net.Conn, head, chunk string) {
	_, err := io.WriteString(conn, head)
	for err == nil {
		_, err = io.WriteString(conn, chunk)
	}
}

// resident is the largest resident memory of a process so far, in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, found)
	kib, err := strconv.Atoi(string(found[1]))
	require.NoError(t, err)
	return kib << 10
}
