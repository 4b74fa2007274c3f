package story_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	phone    = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
	shopPage = "https://acme.example"
	target   = "https://acme.example/portal/h1" // of the first customer
)

// TestShortLink: a text has a short link, and its message says when a person first opened it. Strangers guess codes, send odd requests and
// are slow: nothing moves, and who has a link is led on in time. A process that starts again knows the link.
func TestShortLink(t *testing.T) {
	eachBrokerFor(t, func(l *lab.Lab) { l.Flows, l.ShortLinks = []string{"subscription_started"}, true }, shortLink)
}

func shortLink(t *testing.T, l *lab.Lab, processes map[string]*lab.Process) {
	p, topics := of(processes, topology.RoleLinks), topology.Topics{Prefix: l.Prefix}
	require.NoError(t, deliver(t.Context(), l, webhook(0, 1, time.Now().UTC())))
	eventually(t, func() bool { return len(l.Texts.Texts()) == 1 })
	arrived, path := time.Now(), pathOf(t, l, l.Texts.Texts()[0])
	eventually(t, func() bool { return follow(t, l, http.MethodHead, path, phone) == target })
	assert.Equal(t, target, follow(t, l, http.MethodGet, path, "WhatsApp/2.23.20.0"))
	eventually(t, func() bool { return time.Since(arrived) > links.Instant }) // a person has to read it first
	assert.Equal(t, target, follow(t, l, http.MethodGet, path, phone))
	eventually(t, func() bool { return !onlyMessage(t, l).ClickedAt.IsZero() })
	assert.Equal(t, message.Accepted, onlyMessage(t, l).Status)
	checkSchemas(t, read(t, l, topics.Messages()), read(t, l, topics.Receipts()), read(t, l, topics.Links()))

	// Doctor fails for other checks, such as the webhooks that nobody has registered.
	checks, _ := l.Run(t.Context(), "doctor", "--store", lab.Store)
	assert.Regexp(t, `(?m)^warning +acme +short links +http://`+l.Links+` leads to the role links, but is a private address: no customer can open it$`, checks)

	changes, receipts := len(read(t, l, topics.Messages())), len(read(t, l, topics.Receipts()))
	t.Run("guesses", func(t *testing.T) { guess(t, l, p) })
	t.Run("odd requests", func(t *testing.T) { oddRequests(t, l, path) })
	t.Run("slow clients", func(t *testing.T) { slowClients(t, l, p, path) })
	assert.Equal(t, changes, len(read(t, l, topics.Messages())))  //nolint:testifylint // Len would print every record
	assert.Equal(t, receipts, len(read(t, l, topics.Receipts()))) //nolint:testifylint // as above

	stop(t, processes)
	for role, stopped := range processes {
		restarted := start(t, l, stopped.Roles...)
		if restarted.Roles == nil || role == string(topology.RoleLinks) {
			assert.Equal(t, target, follow(t, l, http.MethodGet, path, phone))
		}
		for _, log := range []string{stopped.Output(), restarted.Output()} {
			assert.NotContains(t, log, strings.TrimPrefix(path, "/r/"))
			assert.NotContains(t, log, target)
		}
	}
}

// pathOf returns the path of the short link of a text, which has no other link.
func pathOf(t *testing.T, l *lab.Lab, text smstest.Text) string {
	t.Helper()
	found := regexp.MustCompile(`http://` + l.Links + `(/r/[0-9A-Za-z]{11})\b`).FindStringSubmatch(text.Body)
	require.NotNil(t, found, text.Body)
	assert.NotContains(t, text.Body, "portal")
	return found[1]
}

// onlyMessage is the only message as it is now.
func onlyMessage(t *testing.T, l *lab.Lab) message.Change {
	t.Helper()
	all, err := lab.Messages(read(t, l, topology.Topics{Prefix: l.Prefix}.Messages()))
	require.NoError(t, err)
	require.Len(t, all, 1)
	for _, m := range all {
		return m
	}
	return message.Change{}
}

// follow requests a short link, and returns where it leads.
func follow(t *testing.T, l *lab.Lab, method, path, agent string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.Links+path, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("User-Agent", agent)
	client := &http.Client{
		Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	answer, err := client.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	return answer.Header.Get("Location")
}

// guess tries 10,000 codes: each leads to the shop's page.
func guess(t *testing.T, l *lab.Lab, p *lab.Process) {
	t.Helper()
	const guesses = 10_000
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	for range guesses {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Links+"/r/"+string(links.NewCode()), http.NoBody)
		require.NoError(t, err)
		answer, err := client.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, shopPage, answer.Header.Get("Location"))
	}
	page, err := p.Metrics(t.Context())
	require.NoError(t, err)
	assert.Contains(t, page, fmt.Sprintf(`rechargeflow_link_requests_total{outcome="unknown",store="acme"} %d`, guesses))
}

// oddRequests tries to be led elsewhere.
func oddRequests(t *testing.T, l *lab.Lab, path string) {
	t.Helper()
	for _, line := range []string{
		"GET //evil.example/ HTTP/1.1", "GET /r//evil.example HTTP/1.1", "GET /r/https://evil.example HTTP/1.1", "GET /r/%2e%2e/%2e%2e//evil.example HTTP/1.1",
		"GET http://evil.example/r/x HTTP/1.1", "GET javascript:alert(1) HTTP/1.1", "GET " + path + "%0d%0aLocation:https://evil.example HTTP/1.1",
		"GET /r/\\evil.example HTTP/1.1", "POST " + path + " HTTP/1.1", "CONNECT evil.example:443 HTTP/1.1", "GET /r/ HTTP/9.9", "\x16\x03\x01",
	} {
		connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Links)
		require.NoError(t, err)
		_, err = io.WriteString(connection, line+"\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err == nil {
			require.NoError(t, answer.Body.Close())
			assert.Contains(t, []string{"", shopPage}, answer.Header.Get("Location"), line)
		}
		require.NoError(t, connection.Close())
	}
}

// slowClients keeps 200 connections waiting, twice as many as are allowed. Meanwhile who has a link is led on.
func slowClients(t *testing.T, l *lab.Lab, p *lab.Process, path string) {
	t.Helper()
	ctx, stopAttack := context.WithCancel(t.Context())
	attacked := make(chan struct{})
	go func() {
		defer close(attacked)
		many(200, func(c net.Conn) { _, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: ") })(ctx, l.Links)
	}()
	const limit = `rechargeflow_link_connections 100`
	eventually(t, func() bool {
		page, err := p.Metrics(t.Context())
		return err == nil && strings.Contains(page, limit+"\n")
	})
	var slowest time.Duration
	for range 50 {
		began := time.Now()
		assert.Equal(t, target, follow(t, l, http.MethodHead, path, phone))
		slowest = max(slowest, time.Since(began))
	}
	assert.Less(t, slowest, 2*time.Second)
	t.Logf("the slowest of 50 requests took %s", slowest)
	stopAttack()
	<-attacked
}
