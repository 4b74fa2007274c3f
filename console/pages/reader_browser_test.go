package pages_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/test/browser"
)

// many is a service with a number that readers write in different ways.
type many struct{ filledService }

func (m many) Overview(ctx context.Context, store string) (service.Overview, error) {
	overview, err := m.filledService.Overview(ctx, store)
	overview.Events = []service.Hour{{Begins: now(), Count: 12345}}
	return overview, err
}

// TestReader writes times and numbers as the reader does, in their zone, and the time by the customer's clock beside it.
func TestReader(t *testing.T) {
	b := browser.Start(t)
	server := site(t, many{filledService{&filler{texts: []string{"plain"}}}}, access.Person{Name: "ann", Role: access.Viewer})
	for _, each := range []struct{ locale, zone, changed, events string }{
		{"en-US", "America/Los_Angeles", "Mar 1, 2026, 12:30:00 AM (there 03:30 AM EST)", "12,345"},
		{"en-US", "America/New_York", "Mar 1, 2026, 3:30:00 AM", "12,345"},
		{"de-DE", "Europe/Berlin", "01.03.2026, 09:30:00 (there 03:30 GMT-5)", "12.345"},
		{"fr-FR", "Asia/Kolkata", "1 mars 2026, 14:00:00 (there 03:30 UTC−5)", "12 345"},
		{"ja-JP", "Asia/Tokyo", "2026/03/01 17:30:00 (there 03:30 GMT-5)", "12,345"},
	} {
		t.Run(each.locale+" "+each.zone, func(t *testing.T) {
			look := browser.Desk()
			look.Locale, look.Zone = each.locale, each.zone
			tab := b.Tab(t, look)
			tab.Open(server.URL + "/acme/texts/4e63301a")
			tab.Await(`document.documentElement.classList.contains("script")`)
			assert.Equal(t, each.changed, browser.Value[string](tab, `document.querySelector("time[data-zone]").textContent.replace(/\s/g, " ")`))
			tab.Open(server.URL + "/acme/")
			tab.Await(`document.documentElement.classList.contains("script")`)
			assert.Equal(t, each.events, browser.Value[string](tab, `document.querySelector(".tile data").textContent.replace(/\s/g, " ")`))
			assert.Empty(t, tab.Problems())
		})
	}
}

// TestReaderWithoutScript has both clocks in the page, too.
func TestReaderWithoutScript(t *testing.T) {
	server := site(t, filledService{&filler{texts: []string{"plain"}}}, access.Person{Name: "ann", Role: access.Viewer})
	response, err := http.Get(server.URL + "/acme/texts/4e63301a") //nolint:gosec // a server of the test
	require.NoError(t, err)
	page, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Contains(t, string(page), `data-zone="America/New_York">2026-03-01 08:30 UTC (there 03:30 EST)</time>`)
}
