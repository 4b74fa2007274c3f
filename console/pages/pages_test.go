package pages_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// changes are the forms that change something, and the role that each needs.
func changes() map[string]access.Role {
	return map[string]access.Role{
		"/acme/flows/charge_paid": access.Editor, "/acme/flows/charge_paid/activate": access.Editor, "/acme/flows/charge_paid/deactivate": access.Editor,
		"/acme/flows/charge_paid/test": access.Editor, "/acme/flows/charge_paid/restore": access.Editor, "/acme/sending": access.Editor,
		"/acme/segments": access.Editor, "/acme/segments/push": access.Editor, "/acme/segments/at_risk/delete": access.Editor, "/acme/events/samples": access.Editor,
		"/acme/sending/number?do=opt_out": access.Editor, "/acme/sending/pause": access.Operator, "/acme/texts/4e63301a/resolve": access.Operator,
		"/deadletters/replay": access.Operator, "/access/tokens": access.Operator, "/access/tokens/revoke": access.Operator,
	}
}

// post sends a form, and returns the status and the page. It follows no redirect.
func post(t *testing.T, address string, form url.Values) (int, string) {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(address, form)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode, string(body)
}

func TestChangesNeedTheirRole(t *testing.T) {
	for _, role := range access.Roles() {
		server := site(t, filledService{&filler{texts: []string{"plain"}}}, access.Person{Name: "ann", Role: role})
		for path, needs := range changes() {
			status, _ := post(t, server.URL+path, nil)
			if (access.Person{Role: role}).May(needs) {
				assert.NotEqual(t, http.StatusForbidden, status, "%s by a %s", path, role)
			} else {
				assert.Equal(t, http.StatusForbidden, status, "%s by a %s", path, role)
			}
		}
	}
}

// TestFailedFormsLeadBack follows the link of the page that a refused form answers with: it leads to a page.
func TestFailedFormsLeadBack(t *testing.T) {
	server := site(t, filledService{&filler{texts: []string{"plain"}}}, access.Person{Name: "ann", Role: access.Viewer})
	link := regexp.MustCompile(`<a class="button" href="([^"]+)">Back</a>`)
	for path := range changes() {
		_, page := post(t, server.URL+path, nil)
		found := link.FindStringSubmatch(page)
		require.NotEmpty(t, found, path)
		response, err := http.Get(server.URL + found[1]) //nolint:gosec // a server of the test
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, http.StatusOK, response.StatusCode, "%s leads to %s", path, found[1])
		assert.True(t, strings.HasPrefix(path, found[1]), "%s leads to %s", path, found[1])
	}
}

// TestQuestions sends what can't be taken back: the answer is a question that says how much it concerns, and nothing is done.
func TestQuestions(t *testing.T) {
	server := site(t, filledService{&filler{texts: []string{"plain"}}}, access.Person{Name: "ann", Role: access.Operator})
	for path, says := range map[string]string{
		"/deadletters/replay": "This sends 3 dead letters to their roles again", "/acme/segments/at_risk/delete": "It has 6 members now", "/access/tokens/revoke": "This revokes 1 token",
		"/acme/segments/push": "This sets 6 properties of customers", "/acme/sending/pause": "0 texts wait in this store now",
	} {
		status, page := post(t, server.URL+path, url.Values{"paused": {"true"}, "version": {"1"}})
		assert.Equal(t, http.StatusOK, status, path)
		assert.Contains(t, page, says, path)
		assert.Contains(t, page, `name="confirm"`, path)
	}
}

// TestReview shows what activating would send, before anything is saved.
func TestReview(t *testing.T) {
	server := site(t, filledService{&filler{texts: []string{"plain"}}}, access.Person{Name: "ann", Role: access.Editor})
	form := url.Values{"text": {"my own words"}, "name": {"n"}, "version": {"3"}, "window": {"60"}, "per_charge": {"0"}, "step": {"review"}}
	status, page := post(t, server.URL+"/acme/flows/charge_paid/activate", form)
	assert.Equal(t, http.StatusUnprocessableEntity, status, "the preview has faults")
	assert.Contains(t, page, "<strong>3 texts</strong> that wait will be sent once due")
	assert.Contains(t, page, "In the last 24 hours it would have sent")
}

// failing is a service whose stores can be read, and whose flows can't.
type failing struct {
	filledService
	err error
}

func (f failing) Flows(context.Context, string) ([]service.FlowCard, error) { return nil, f.err }

func (f failing) SaveFlow(context.Context, string, string, flow.Key, service.SaveFlow) (service.SavedFlow, error) {
	return service.SavedFlow{}, f.err
}

// TestErrors shows each kind of error as a page with its status. The words of a fault of ours are for the log alone.
func TestErrors(t *testing.T) {
	for _, each := range []struct {
		err    error
		status int
		says   string
	}{
		{fmt.Errorf("%w: no such thing", service.ErrNotFound), http.StatusNotFound, "No such thing"},
		{fmt.Errorf("%w: brokers do not answer", service.ErrUnavailable), http.StatusServiceUnavailable, "Brokers do not answer"},
		{&service.LimitedError{Problem: "too many tests", RetryAfter: time.Minute}, http.StatusTooManyRequests, "Try again in 60 s"},
		{io.ErrUnexpectedEOF, http.StatusInternalServerError, "Something went wrong"},
	} {
		server := site(t, failing{filledService{&filler{texts: []string{"plain"}}}, each.err}, access.Person{Name: "ann", Role: access.Viewer})
		response, err := http.Get(server.URL + "/acme/flows") //nolint:gosec // a server of the test
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, each.status, response.StatusCode)
		assert.Contains(t, string(body), each.says)
		assert.NotContains(t, string(body), io.ErrUnexpectedEOF.Error())
	}
}

// TestRefusedText shows a text that was refused again, with why, and does not lose it.
func TestRefusedText(t *testing.T) {
	form := url.Values{"text": {"my own words"}, "name": {"n"}, "version": {"3"}, "window": {"60"}, "per_charge": {"0"}}
	for _, each := range []struct {
		err    error
		status int
		says   string
	}{
		{service.ErrConflict, http.StatusConflict, "Somebody else has changed this flow"},
		{&service.InvalidError{Faults: []service.Fault{{Field: "text", Problem: "the text is too long"}}}, http.StatusUnprocessableEntity, "the text is too long"},
	} {
		server := site(t, failing{filledService{&filler{texts: []string{"plain"}}}, each.err}, access.Person{Name: "ann", Role: access.Editor})
		status, page := post(t, server.URL+"/acme/flows/charge_paid", form)
		assert.Equal(t, each.status, status)
		assert.Contains(t, page, each.says)
		assert.Contains(t, page, "my own words</textarea>")
		assert.Contains(t, page, `data-guard="changed"`, "leaving the page asks first")
	}
}
