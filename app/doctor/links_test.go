package doctor_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/app/doctor"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/links"
)

// Only the answer of the role links is one.
func TestShortLinks(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		header http.Header
		want   doctor.Status
		found  string
		cure   string
	}{
		"ready": {
			http.StatusNoContent,
			http.Header{links.ProbeHeader: {links.ProbeReady}},
			doctor.Warning,
			"URL leads to the role links, but is a private address: no customer can open it", "set sms.links.url to an https address that customers reach",
		},
		"links are not read": {
			http.StatusNoContent,
			http.Header{links.ProbeHeader: {links.ProbeReading}},
			doctor.Warning,
			"URL leads to the role links, which has not read recharge.links yet", "see rechargeflow ready and the log of rechargeflow run links",
		},
		"the shop": {
			http.StatusFound, http.Header{"Location": {"https://acme.example"}}, doctor.Failed, "GET URL/r/-: answered with 302 Found, and not by the role links", cureOfLinks,
		},
		"a proxy": {http.StatusBadGateway, nil, doctor.Failed, "GET URL/r/-: answered with 502 Bad Gateway, and not by the role links", cureOfLinks},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.Method+" "+r.URL.Path)
				for name, values := range test.header {
					w.Header()[name] = values
				}
				w.WriteHeader(test.status)
			}))
			defer server.Close()
			row := linksRow(t, doctor.Texts{Driver: "webhook", Links: doctor.Links{URL: server.URL}})
			written := strings.NewReplacer("URL", server.URL, "HOST", strings.TrimPrefix(server.URL, "http://"))
			assert.Equal(t, doctor.Row{Store: "acme", Check: "short links", Status: test.want, Found: written.Replace(test.found), Cure: written.Replace(test.cure)}, row)
			assert.Equal(t, []string{"GET " + links.ProbePath}, asked)
		})
	}
}

const cureOfLinks = "run rechargeflow run links, and let DNS and the proxy lead HOST to its links.listen; if only this machine can't reach it, check elsewhere"

// A certificate that nobody trusts is what customers would see, too.
func TestShortLinksWithoutTrust(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(links.ProbeHeader, links.ProbeReady) }))
	defer server.Close()
	row := linksRow(t, doctor.Texts{Driver: "webhook", Links: doctor.Links{URL: server.URL}})
	assert.Equal(t, doctor.Failed, row.Status)
	assert.Contains(t, row.Found, "certificate")
}

func TestNoShortLinks(t *testing.T) {
	row := linksRow(t, doctor.Texts{Driver: "webhook", Links: doctor.Links{Off: "sms.links.url is not set"}})
	assert.Equal(t, doctor.Row{Store: "acme", Check: "short links", Status: doctor.OK, Found: "none: sms.links.url is not set"}, row)
	assert.Empty(t, rows(t, doctor.Texts{}), "a store without texts")
}

func linksRow(t *testing.T, texts doctor.Texts) doctor.Row {
	t.Helper()
	all := rows(t, texts)
	require.Len(t, all, 1)
	return all[0]
}

// rows returns those about short links. No broker answers.
func rows(t *testing.T, texts doctor.Texts) (about []doctor.Row) {
	t.Helper()
	for _, row := range doctor.Run(t.Context(), doctor.Installation{
		Cluster: kafka.Cluster{Brokers: []string{"127.0.0.1:1"}}, Stores: []doctor.Store{{Name: "acme", Texts: texts}}, Now: time.Now,
	}) {
		if row.Check == "short links" {
			about = append(about, row)
		}
	}
	return about
}
