package console_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/test/browser"
)

// proxy stands in front of the console.
type proxy struct {
	*httptest.Server

	console *httputil.ReverseProxy
	state   atomic.Int32
	// away counts the requests of streams that got nowhere.
	away atomic.Int32
}

// States of a proxy.
const (
	open    int32 = iota
	shut          // closes connections without an answer
	nowhere       // answers that the console is away
)

func (s *system) proxy(t *testing.T) *proxy {
	t.Helper()
	console, err := url.Parse(s.url)
	require.NoError(t, err)
	p := &proxy{console: &httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0), // browsers leave pages
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(console)
			r.Out.Host = r.In.Host
		},
	}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch p.state.Load() {
	case shut:
		panic(http.ErrAbortHandler)
	case nowhere:
		if strings.HasSuffix(r.URL.Path, "/live") {
			p.away.Add(1)
		}
		w.WriteHeader(http.StatusBadGateway)
	default:
		p.console.ServeHTTP(w, r)
	}
}

// set changes the state, and ends what goes on.
func (p *proxy) set(state int32) {
	p.state.Store(state)
	p.CloseClientConnections()
}

// cutOff has a page open while the network, the console, or the console behind its proxy is away. The page says so, and goes on by itself.
func (s *system) cutOff(t *testing.T) {
	front := s.proxy(t)
	d := s.desk(t)
	d.system = &system{lab: s.lab, process: s.process, topics: s.topics, browser: s.browser, axe: s.axe, url: front.URL}
	d.enter("ann")
	d.visit("/acme/")
	d.live()
	browser.Value[int](d.Tab, "window.loaded = 1")

	d.Online(false)
	d.isOffline(true)
	d.Online(true)
	d.isOffline(false)

	front.set(shut)
	d.isOffline(true)
	assert.Contains(t, browser.Value[string](d.Tab, `document.querySelector("#offline").textContent`), "This page shows what was known at ")
	d.fits("offline")
	d.subscribe(t, unseen)
	d.until("Bloomreach has the event", func() bool { return len(d.lab.Bloomreach.Timeline("registered", email(unseen))) == 1 })
	front.set(open)
	d.isOffline(false)
	d.Await(`Boolean(document.querySelector('#now a[href="/acme/customers/246936006"]'))`)

	// a link that downloads a file looks like leaving the page
	browser.Value[int](d.Tab, `window.leaving = setInterval(() => dispatchEvent(new Event("beforeunload")), 20)`)
	front.set(nowhere)
	d.until("the page follows again after the browser has given up", func() bool { return front.away.Load() > 1 })
	browser.Value[bool](d.Tab, `clearInterval(window.leaving) === undefined`)
	d.isOffline(true)
	front.set(open)
	d.isOffline(false)
	assert.Equal(t, 1, browser.Value[int](d.Tab, "window.loaded"), "the page was not loaded again")

	d.send("/logout", "application/x-www-form-urlencoded", "")
	front.set(shut)
	d.isOffline(true)
	front.set(open)
	d.Sees("h1", "Log in")
}

// live waits until a page gets what happens.
func (d *desk) live() {
	d.t.Helper()
	d.Await(`document.documentElement.classList.contains("live")`)
}

// isOffline waits until a page says that the console can't be reached, or does not say it any more.
func (d *desk) isOffline(is bool) {
	d.t.Helper()
	if is {
		d.Await(`!document.querySelector("#offline").hidden`)
	} else {
		d.Await(`document.querySelector("#offline").hidden`)
	}
}
