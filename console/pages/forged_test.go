package pages_test

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
)

// get returns a page.
func get(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address) //nolint:gosec // a server of the test
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return string(body)
}

// Who makes somebody open an address can't put another address into the page.
func TestAddressBringsNoAddress(t *testing.T) {
	server := site(t, filledService{&filler{texts: []string{"plain"}}}, access.Person{Name: "ann", Role: access.Viewer})
	days := url.Values{"by_day": {"on"}, "days": {"1, //elsewhere.example/x.png 2x"}}
	page := get(t, server.URL+"/acme/flows/stats?"+days.Encode())
	assert.Contains(t, page, "srcset=")
	assert.NotContains(t, page, "elsewhere")
}

// Each form that changes something has a field for the token that other sites do not know.
func TestFormsHaveATokenField(t *testing.T) {
	server := site(t, filledService{&filler{texts: []string{"plain"}}}, access.Person{Name: "ann", Role: access.Operator})
	forms := 0
	for _, address := range addresses() {
		for _, form := range strings.Split(get(t, server.URL+address), "<form")[1:] {
			form, _, _ = strings.Cut(form, "</form>")
			if strings.Contains(form, `method="post"`) {
				forms++
				assert.Contains(t, form, `name="csrf"`, address)
			}
		}
	}
	assert.Greater(t, forms, len(addresses()), "all pages have the form for logging out")
}

// The name of a segment, which is that of the file, can't end the header that it is in.
func TestFileNameForgesNoHeader(t *testing.T) {
	const name = "a\"\r\nX-Forged: 1"
	server := site(t, filledService{&filler{texts: []string{name}}}, access.Person{Name: "ann", Role: access.Viewer})
	response, err := http.Get(server.URL + "/acme/segments/" + url.PathEscape(name) + "/export") //nolint:gosec // a server of the test
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	assert.Empty(t, response.Header.Get("X-Forged"))
	assert.Equal(t, "text/csv; charset=utf-8", response.Header.Get("Content-Type"))
	kind, parameters, err := mime.ParseMediaType(response.Header.Get("Content-Disposition"))
	require.NoError(t, err)
	assert.Equal(t, "attachment", kind)
	assert.Len(t, parameters, 1)
	assert.Contains(t, parameters["filename"], `a"`)
}
