package pages_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
)

// TestCharts reads the charts as XML: they must be whole, hold no script, and have the colours of the page.
func TestCharts(t *testing.T) {
	server := site(t, filledService{&filler{texts: payloads()}}, access.Person{Name: "ann", Role: access.Viewer})
	for address, ground := range map[string]string{
		"/acme/day.svg": "white", "/acme/day.svg?dark=1": "rgb(27,31,36)", "/acme/flows/stats/chart.svg": "white", "/acme/flows/stats/chart.svg?dark=1": "rgb(27,31,36)",
	} {
		response, err := http.Get(server.URL + address) //nolint:gosec // a server of the test
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusOK, response.StatusCode, address)
		assert.Equal(t, "image/svg+xml", response.Header.Get("Content-Type"), address)
		assert.Contains(t, string(body), "fill:"+ground, address)
		decoder, paths := xml.NewDecoder(bytes.NewReader(body)), 0
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, address)
			if element, is := token.(xml.StartElement); is {
				assert.NotEqual(t, "script", element.Name.Local, address)
				if element.Name.Local == "path" {
					paths++
				}
			}
		}
		assert.Greater(t, paths, 5, "%s has lines", address)
	}
}
