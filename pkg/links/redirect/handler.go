package redirect

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// Store is a store with short links.
type Store struct {
	Host string // of its own domain, with a port if the address has one
	Page string // where an unknown or expired link leads; "" for nowhere
}

// The outcomes of a request.
const (
	Redirected  = "redirected"
	Head        = "head" // answered as a GET is, and no click
	Expired     = "expired"
	Unknown     = "unknown" // no such link, or not any more
	Refused     = "refused" // another path or method, or a target that is none
	Unavailable = "unavailable"
	Probe       = "probe" // of rechargeflow doctor
)

// Metrics counts requests and clicks. The store of a request that can't be attributed is "unknown".
type Metrics interface {
	LinkRequest(store, outcome string, took time.Duration)
	LinkClick(store, sign string)
	LinkClickDropped(store, why string)
}

// unknownStore is the label of requests that belong to no configured store: a caller must not choose a label.
const unknownStore = "unknown"

// Config is what a Handler needs. All of it must be set.
type Config struct {
	Stores  map[string]Store // by name
	Links   *Table
	Clicks  *Clicks
	Metrics Metrics
	Log     *zap.Logger
	Now     func() time.Time
}

// Handler serves short links.
type Handler struct {
	cfg     Config
	hosts   map[string]string // stores by host; "" for a host of several
	only    string            // the store if there is one only
	refused *telemetry.RefusedRequests
}

// New needs all of cfg.
func New(cfg Config) *Handler {
	h := &Handler{cfg: cfg, hosts: map[string]string{}, refused: telemetry.NewRefusedRequests(cfg.Log, cfg.Now)}
	for name, store := range cfg.Stores {
		host := strings.ToLower(store.Host)
		if _, taken := h.hosts[host]; taken {
			name = ""
		}
		h.hosts[host] = name
		h.only = name
	}
	if len(cfg.Stores) != 1 {
		h.only = ""
	}
	return h
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := h.cfg.Now()
	store, outcome := h.answer(w, r, began)
	if _, configured := h.cfg.Stores[store]; !configured {
		store = unknownStore
	}
	h.cfg.Metrics.LinkRequest(store, outcome, h.cfg.Now().Sub(began))
	if outcome == Refused || outcome == Unknown {
		masked := *r
		address := *r.URL
		address.Path, masked.URL = links.Prefix+"***", &address // somebody may have mistyped a code that is in use
		h.refused.Log("short link refused", &masked, zap.String("store", store), zap.String("reason", outcome))
	}
}

// answer answers and returns the store and the outcome.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, now time.Time) (store, outcome string) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Robots-Tag", "noindex, nofollow")
	store = h.storeOf(r.Host)
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		header.Set("Connection", "close") // else net/http waits for a body that was not read
		return store, h.page(w, r, http.StatusMethodNotAllowed, Refused)
	case !strings.HasPrefix(r.URL.Path, links.Prefix):
		return store, h.page(w, r, http.StatusNotFound, Refused)
	case r.URL.Path == links.ProbePath:
		return store, h.probe(w)
	case !h.cfg.Links.IsReady():
		header.Set("Retry-After", strconv.Itoa(retryAfter))
		return store, h.page(w, r, http.StatusServiceUnavailable, Unavailable)
	}
	return h.lead(w, r, store, now)
}

// probe answers that short links are served here.
func (h *Handler) probe(w http.ResponseWriter) string {
	state := links.ProbeReading
	if h.cfg.Links.IsReady() {
		state = links.ProbeReady
	}
	w.Header().Set(links.ProbeHeader, state)
	w.WriteHeader(http.StatusNoContent)
	return Probe
}

// lead leads to the target of a link. It returns the store of the link, or that of the host if there is no such link.
func (h *Handler) lead(w http.ResponseWriter, r *http.Request, store string, now time.Time) (of, outcome string) {
	code, ok := links.ParseCode(r.URL.Path)
	link := h.cfg.Links.Find(code.ID())
	if !ok || link == nil {
		return store, h.elsewhere(w, r, store, Unknown)
	}
	if !now.Before(link.ExpiresAt) {
		return link.Store, h.elsewhere(w, r, link.Store, Expired)
	}
	target, err := message.OpenTarget(code, link.Target)
	if err != nil {
		return link.Store, h.elsewhere(w, r, link.Store, Refused)
	}
	redirect(w, target)
	if r.Method == http.MethodHead {
		return link.Store, Head
	}
	h.cfg.Clicks.Add(link, code.ID(), r.Header, now)
	return link.Store, Redirected
}

// retryAfter is the Retry-After header of a 503, in seconds.
const retryAfter = 5

// storeOf returns the store of a host, "" if several have it or none.
func (h *Handler) storeOf(host string) string {
	host = strings.ToLower(host)
	name, known := h.hosts[host]
	if !known {
		if without, _, err := net.SplitHostPort(host); err == nil {
			name, known = h.hosts[without]
		}
	}
	if !known {
		return h.only
	}
	return name
}

// elsewhere leads to the shop's page, which the configuration has; without one the answer is 404.
func (h *Handler) elsewhere(w http.ResponseWriter, r *http.Request, store, outcome string) string {
	page := h.cfg.Stores[store].Page
	if !links.IsTarget(page) {
		return h.page(w, r, http.StatusNotFound, outcome)
	}
	redirect(w, page)
	return outcome
}

// redirect answers with a target that is checked. The answer has no body: it would repeat the target.
func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusFound)
}

// page answers with a page for people.
func (h *Handler) page(w http.ResponseWriter, r *http.Request, status int, outcome string) string {
	text := "<!doctype html><title>Link</title><p>This link does not lead anywhere.\n"
	if status == http.StatusServiceUnavailable {
		text = "<!doctype html><title>Link</title><p>Please try this link again in a moment.\n"
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(text)) // the caller may be gone
	}
	return outcome
}

// RefusedByServer counts an answer that net/http gave without calling the handler.
func (h *Handler) RefusedByServer(_ int, took time.Duration) {
	h.cfg.Metrics.LinkRequest(unknownStore, Refused, took)
}
