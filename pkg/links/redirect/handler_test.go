package redirect_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/links/redirect"
	"github.com/rechargeflow/rechargeflow/pkg/message"
)

func TestRedirect(t *testing.T) {
	w := newReadyWorld(t, acme())
	code := w.link("acme", "a", portal)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		answer := w.request(method, "/r/"+string(code), nil)
		assert.Equal(t, http.StatusFound, answer.Code)
		assert.Equal(t, portal, answer.Header().Get("Location"))
		assert.Equal(t, "no-store", answer.Header().Get("Cache-Control"))
		assert.Equal(t, "no-referrer", answer.Header().Get("Referrer-Policy"))
		assert.Empty(t, answer.Body.String())
	}
	assert.Equal(t, map[string]int{"acme redirected": 1, "acme head": 1}, w.counts.of(&w.counts.requests))
	w.finish()
	require.Len(t, w.records(), 1, "HEAD is no click")
	assert.Empty(t, w.log.FilterMessageSnippet("refused").All())
}

// Nothing that a request has decides where it is led.
func TestNoOpenRedirect(t *testing.T) {
	w := newReadyWorld(t, acme())
	code := string(w.link("acme", "a", portal))
	for _, path := range []string{
		"/r/" + code + "?to=https://evil.example", "/r/" + code + "/https://evil.example", "/r//evil.example", "/r/https://evil.example", "/r/\\evil.example",
		"/r/" + code + "%00", "/r/../" + code, "/r/" + code + "/", "/r/javascript:alert(1)", "/r/" + code + "\r\nLocation: https://evil.example",
	} {
		answer := w.request(http.MethodGet, path, http.Header{"X-Forwarded-Host": {"evil.example"}, "Referer": {"https://evil.example"}})
		assert.Contains(t, []string{page, ""}, answer.Header().Get("Location"), path)
		assert.NotContains(t, answer.Body.String(), "evil")
	}
	for _, path := range []string{"", "/", "//evil.example", "/" + code, "/R/" + code, "/robots.txt", "https://evil.example"} {
		answer := w.request(http.MethodGet, path, nil)
		assert.Equal(t, http.StatusNotFound, answer.Code, path)
		assert.Empty(t, answer.Header().Get("Location"))
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodTrace, "CONNECT", "get"} {
		answer := w.request(method, "/r/"+code, nil)
		assert.Equal(t, http.StatusMethodNotAllowed, answer.Code, method)
		assert.Equal(t, "GET, HEAD", answer.Header().Get("Allow"))
	}
	w.finish()
	assert.Empty(t, w.records())
}

// A target that is none is never followed, whatever wrote the row.
func TestOddTargets(t *testing.T) {
	w := newReadyWorld(t, acme())
	for _, target := range []string{"javascript:alert(1)", "data:text/html,hi", "//evil.example", "ftp://acme.example", "https://user:pass@acme.example", "https://acme.example/\r\nX: y", ""} {
		answer := w.request(http.MethodGet, "/r/"+string(w.link("acme", "a", target)), nil)
		assert.Equal(t, page, answer.Header().Get("Location"), target)
	}
	assert.Equal(t, map[string]int{"acme refused": 7}, w.counts.of(&w.counts.requests))
	w.finish()
	assert.Empty(t, w.records())
}

// The probe of rechargeflow doctor shows that links are served here, and whether all are read. It is no guess and no click.
func TestProbe(t *testing.T) {
	for state, w := range map[string]*world{links.ProbeReading: newWorld(t, acme()), links.ProbeReady: newReadyWorld(t, acme())} {
		answer := w.request(http.MethodGet, links.ProbePath, nil)
		assert.Equal(t, http.StatusNoContent, answer.Code)
		assert.Equal(t, state, answer.Header().Get(links.ProbeHeader))
		assert.Equal(t, "no-store", answer.Header().Get("Cache-Control"))
		assert.Equal(t, map[string]int{"acme probe": 1}, w.counts.of(&w.counts.requests))
		assert.Empty(t, w.log.All())
		w.finish()
		assert.Empty(t, w.records())
	}
	_, isCode := links.ParseCode(links.ProbePath)
	assert.False(t, isCode)
}

// 10,000 guesses lead to the shop's page, count, write nothing, and have few lines in the log, none with a guess.
func TestGuesses(t *testing.T) {
	w := newReadyWorld(t, acme())
	code := w.link("acme", "a", portal)
	for range 10_000 {
		guess := "/r/" + string(links.NewCode())
		answer := w.request(http.MethodGet, guess, nil)
		require.Equal(t, http.StatusFound, answer.Code)
		require.Equal(t, page, answer.Header().Get("Location"))
	}
	assert.Equal(t, map[string]int{"acme unknown": 10_000}, w.counts.of(&w.counts.requests))
	lines := w.log.FilterMessage("short link refused").All()
	assert.NotEmpty(t, lines)
	assert.Less(t, len(lines), 200)
	for _, line := range lines {
		assert.Equal(t, "/r/***", line.ContextMap()["path"])
	}
	assert.Equal(t, portal, w.request(http.MethodGet, "/r/"+string(code), nil).Header().Get("Location"))
	w.finish()
	assert.Len(t, w.records(), 1)
}

func TestExpired(t *testing.T) {
	w := newReadyWorld(t, map[string]redirect.Store{"acme": {Host: "go.acme.example", Page: page}, "other": {Host: "go.other.example", Page: "https://other.example"}})
	code := w.link("other", "a", portal)
	w.pass(time.Hour)
	answer := w.request(http.MethodGet, "/r/"+string(code), nil)
	assert.Equal(t, http.StatusFound, answer.Code)
	assert.Equal(t, "https://other.example", answer.Header().Get("Location"), "of the store of the link")
	w.apply("other", code, nil)
	assert.Equal(t, page, w.request(http.MethodGet, "/r/"+string(code), nil).Header().Get("Location"), "of the store of the host")
	assert.Equal(t, map[string]int{"other expired": 1, "acme unknown": 1}, w.counts.of(&w.counts.requests))
	w.finish()
	assert.Empty(t, w.records())
}

func TestShopPages(t *testing.T) {
	other := redirect.Store{Host: "go.other.example", Page: "https://other.example"}
	for name, test := range map[string]struct {
		stores map[string]redirect.Store
		want   string
	}{
		"by host":               {map[string]redirect.Store{"acme": {Host: "GO.acme.example", Page: page}, "other": other}, page},
		"the only store":        {map[string]redirect.Store{"other": other}, "https://other.example"},
		"a host of several":     {map[string]redirect.Store{"acme": {Host: "go.acme.example", Page: page}, "b": {Host: "go.acme.example", Page: page}}, ""},
		"of no store":           {map[string]redirect.Store{"b": {Host: "go.b.example", Page: page}, "other": other}, ""},
		"without a page":        {map[string]redirect.Store{"acme": {Host: "go.acme.example"}}, ""},
		"a page that is no URL": {map[string]redirect.Store{"acme": {Host: "go.acme.example", Page: "javascript:alert(1)"}}, ""},
	} {
		w := newReadyWorld(t, test.stores)
		answer := w.request(http.MethodGet, "/r/"+string(links.NewCode()), nil)
		assert.Equal(t, test.want, answer.Header().Get("Location"), name)
		if test.want == "" {
			assert.Equal(t, http.StatusNotFound, answer.Code, name)
		}
	}
}

// Until the links are read, no link is unknown.
func TestNotReady(t *testing.T) {
	w := newWorld(t, acme())
	code := w.link("acme", "a", portal)
	answer := w.request(http.MethodGet, "/r/"+string(code), nil)
	assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
	assert.Equal(t, "5", answer.Header().Get("Retry-After"))
	assert.Empty(t, answer.Header().Get("Location"))
	assert.Equal(t, map[string]int{"acme unavailable": 1}, w.counts.of(&w.counts.requests))
}

func TestUnreadableRows(t *testing.T) {
	w := newReadyWorld(t, acme())
	require.NoError(t, w.table.Trouble())
	code := links.NewCode()
	w.apply("acme", code, &message.LinkRow{MessageID: "short"})
	require.ErrorContains(t, w.table.Trouble(), "1 rows of recharge.links")
	assert.Equal(t, page, w.request(http.MethodGet, "/r/"+string(code), nil).Header().Get("Location"))
	assert.Zero(t, w.table.Len())
}

// No line of the log and no record has a code or a target.
func TestNothingSecretLeaves(t *testing.T) {
	w := newReadyWorld(t, acme())
	code := string(w.link("acme", "a", portal))
	w.request(http.MethodGet, "/r/"+code, nil)
	w.request(http.MethodPost, "/r/"+code, nil)
	w.request(http.MethodGet, "/r/"+code+"x", nil)
	w.finish()
	for _, line := range w.log.All() {
		for _, value := range line.ContextMap() {
			if text, ok := value.(string); ok {
				assert.NotContains(t, text, code)
				assert.NotContains(t, text, "f99bd4a6")
			}
		}
	}
	for _, r := range w.written {
		assert.NotContains(t, string(r.Value)+string(r.Key), code)
		assert.NotContains(t, string(r.Value), "f99bd4a6")
		for _, h := range r.Headers {
			assert.NotContains(t, string(h.Value), code)
		}
	}
}
