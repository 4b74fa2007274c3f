package app

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// person is somebody who is logged in at the console of a process.
type person struct {
	*http.Client

	t       *testing.T
	console string
	csrf    string
}

// logIn logs a person in.
func (r *reloadable) logIn(name, password string) *person {
	r.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(r.t, err)
	p := &person{t: r.t, Client: &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}, console: "http://" + r.app.ConsoleAddress()}
	_, page := p.send(http.MethodGet, "/login", "", "Accept", "text/html")
	form := url.Values{"name": {name}, "password": {password}, "csrf": {csrfOf(page)}}
	p.send(http.MethodPost, "/login", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html")
	_, page = p.send(http.MethodGet, "/acme", "", "Accept", "text/html")
	p.csrf = csrfOf(page)
	require.NotEmpty(r.t, p.csrf)
	return p
}

func csrfOf(page string) string {
	if found := regexp.MustCompile(`name="csrf" value="([^"]*)"`).FindStringSubmatch(page); found != nil {
		return found[1]
	}
	return ""
}

func (p *person) do(method, path, body string, headers ...string) *http.Response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.console+path, strings.NewReader(body))
	require.NoError(p.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set(access.HeaderCSRF, p.csrf)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := p.Do(r)
	require.NoError(p.t, err)
	p.t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

func (p *person) send(method, path, body string, headers ...string) (int, string) {
	p.t.Helper()
	answer := p.do(method, path, body, headers...)
	text, err := io.ReadAll(answer.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, answer.Body.Close())
	return answer.StatusCode, string(text)
}

// stream opens a stream of a store.
func (p *person) stream(store string) *sse {
	p.t.Helper()
	answer := p.do(http.MethodGet, "/api/v1/stores/"+store+"/live", "") //nolint:bodyclose // do does, when the test ends
	require.Equal(p.t, "text/event-stream", answer.Header.Get("Content-Type"))
	return &sse{body: answer.Body, lines: bufio.NewScanner(answer.Body)}
}

func (p *person) stores() (names []string) {
	p.t.Helper()
	status, body := p.send(http.MethodGet, "/api/v1/stores", "")
	require.Equal(p.t, http.StatusOK, status, body)
	var stores []service.StoreInfo
	require.NoError(p.t, json.Unmarshal([]byte(body), &stores))
	for _, s := range stores {
		names = append(names, s.Name)
	}
	return names
}

// replay returns the only replay.
func (p *person) replay() service.Replay {
	p.t.Helper()
	status, body := p.send(http.MethodGet, "/api/v1/dead-letters/replays", "")
	require.Equal(p.t, http.StatusOK, status, body)
	var all []service.Replay
	require.NoError(p.t, json.Unmarshal([]byte(body), &all))
	require.Len(p.t, all, 1)
	return all[0]
}

// The console shows a store that is added without a restart, and no more one that is removed. Who is logged in stays so; streams and replays of other
// stores go on.
func TestConsoleReload(t *testing.T) {
	bloomreach := bloomreachtest.New()
	t.Cleanup(bloomreach.Close)
	const password = "correct horse battery staple"
	hash, err := access.HashPassword(password)
	require.NoError(t, err)
	people := filepath.Join(t.TempDir(), "people.yaml")
	require.NoError(t, access.AddPerson(people, "ann", access.Operator, hash))
	r := startReloadable(t, strings.Replace(reloadableFile(t, bloomreach.BaseURL()), "console: {", `console: {people_file: "`+people+`", `, 1))
	ann := r.logIn("ann", password)
	stream := ann.stream("acme")
	assert.Equal(t, []string{"acme"}, ann.stores())
	status, _ := ann.send(http.MethodGet, "/api/v1/stores/beta/overview", "")
	assert.Equal(t, http.StatusNotFound, status)

	const letters = 300 // for six seconds
	records := make([]kafka.Record, letters)
	for i := range records {
		records[i] = kafka.Record{
			Topic: r.app.runtime.Topics.DeadLetters(topology.RoleTracking), Partition: kafka.ByKey, Key: []byte("acme/7"), Value: []byte("{}"),
			Headers: []kafka.Header{{Key: "store", Value: []byte("acme")}},
		}
	}
	require.NoError(t, r.app.runtime.Produce(t.Context(), records...))
	status, body := ann.send(http.MethodPost, "/api/v1/dead-letters/replays", `{"store":"acme","confirm":300}`)
	require.Equal(t, http.StatusAccepted, status, body)

	r.change("stores:\n", "stores:\n"+betaStore(bloomreach.BaseURL(), bloomreachtest.PublicToken), `"taken_up":["stores[beta] added"]`)
	assert.ElementsMatch(t, []string{"acme", "beta"}, ann.stores())
	status, body = ann.send(http.MethodGet, "/api/v1/stores/beta/overview", "")
	assert.Equal(t, http.StatusOK, status, body)
	ofBeta := ann.stream("beta")
	require.Equal(t, http.StatusOK, r.post("acme", "secret-1", 1))
	assert.Equal(t, "event", stream.next(t, "event"))

	r.change(betaStore(bloomreach.BaseURL(), bloomreachtest.PublicToken), "", `"taken_up":["stores[beta] removed"]`)
	_, err = io.ReadAll(ofBeta.body)
	require.NoError(t, err, "the stream has ended")
	assert.Equal(t, []string{"acme"}, ann.stores())
	require.Equal(t, http.StatusOK, r.post("acme", "secret-1", 2))
	assert.Equal(t, "event", stream.next(t, "event"))
	require.Eventually(t, func() bool { return !ann.replay().Ended.IsZero() }, patience, 100*time.Millisecond)
	assert.Empty(t, ann.replay().Error)
	assert.Equal(t, letters, ann.replay().Sent)
	r.stop()
	require.NoError(t, r.end())
}
