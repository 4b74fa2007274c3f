package console_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/browser"
)

// buttons are those that send something which may be a change, by their words.
const buttons = `[...document.querySelectorAll("main form")].filter((form) => form.method === "post").flatMap((form) =>
	[...form.elements].filter((e) => e.type === "submit" && !e.matches(":disabled")).map((e) => e.textContent))`

// asViewer looks at all pages as somebody who may change nothing and sees no personal data, also where the address asks for it. Forged forms are refused.
func (s *system) asViewer(t *testing.T) {
	d := s.desk(t)
	d.enter("vic")
	text := "/acme/texts/" + d.textOf(lost).ID
	for path, may := range map[string][]string{
		"/acme/": {}, "/acme/flows": {}, flowPath: {"Show"}, flowPath + "/versions": {}, flowPath + "/backtest": {},
		"/acme/sending": {"Look it up"}, "/acme/texts": {}, text: {}, "/acme/customers": {}, "/acme/customers/246936001?reveal=1&timeline=1": {},
		"/acme/segments": {"Add with and", "Add with or", "Count"}, "/acme/segments/started?reveal=1": {}, "/acme/events": {},
		"/pipeline": {}, "/deadletters": {}, "/deadletters/" + s.letter(d) + "?reveal=1": {}, "/access": {},
	} {
		d.visit(path)
		d.Sees(".who", "vic, viewer")
		assert.ElementsMatch(t, may, browser.Value[[]string](d.Tab, buttons), path)
		assert.False(t, browser.Value[bool](d.Tab, `Boolean(document.querySelector("main a[href*='reveal']"))`), path)
		d.clean(path)
	}
	d.visit("/acme/customers/246936001?reveal=1")
	d.Sees("main", "s***@example.com")
	assert.NotContains(t, browser.Value[string](d.Tab, `fetch("/acme/segments/started/export?format=csv&reveal=1").then((r) => r.text())`), email(customer))
	d.forge()
}

// letter returns the name of a dead letter, as its address has it.
func (s *system) letter(d *desk) string {
	d.t.Helper()
	d.visit("/deadletters")
	path := browser.Value[string](d.Tab, `document.querySelector('.feed a[href^="/deadletters/"]').pathname`)
	require.NotEmpty(d.t, path)
	return path[len("/deadletters/"):]
}

// forge sends the forms that change something, with the token of the page: all are refused, and nothing is written.
func (d *desk) forge() {
	d.t.Helper()
	written := func() (records []int) {
		for _, topic := range d.topics.Writes(topology.RoleConsole) {
			records = append(records, len(d.records(d.t, topic)))
		}
		return records
	}
	before := written()
	text := "/acme/texts/" + d.textOf(lost).ID
	for path, form := range map[string]string{
		flowPath: "text=forged", flowPath + "/activate": "text=forged&step=activate", flowPath + "/deactivate": "", flowPath + "/restore": "to=0",
		flowPath + "/test": "number=%2B15035550101", "/acme/sending": "texts_per_day=0", "/acme/sending/pause": "paused=true&confirm=1",
		"/acme/sending/number": "do=opt_out&number=%2B15035550101", text + "/resolve": "outcome=rejected", "/acme/segments": "do=save&name=x&conditions=received any",
		"/acme/segments/push": "confirm=1", "/acme/segments/started/delete": "confirm=1", "/acme/events/samples": "", "/deadletters/replay": "confirm=2",
		"/access/tokens": "name=x&role=operator&days=1", "/access/tokens/revoke": "confirm=1",
	} {
		assert.Equal(d.t, http.StatusForbidden, d.send(path, "application/x-www-form-urlencoded", form), path)
	}
	for path, body := range map[string]string{
		"/stores/acme/sending/pause": `{}`, "/stores/acme/texts/" + d.textOf(lost).ID + "/resolve": `{"outcome":"rejected"}`,
		"/dead-letters/replays": `{"confirm":2}`, "/stores/acme/segments/push": `{}`,
	} {
		assert.Equal(d.t, http.StatusForbidden, d.send("/api/v1"+path, "application/json", body), path)
	}
	d.Problems() // one for each that was refused
	assert.Equal(d.t, before, written())
}

// send sends a request of the page, with its token, and returns the status.
func (d *desk) send(path, kind, body string) int {
	d.t.Helper()
	return browser.Value[int](d.Tab, fmt.Sprintf(`fetch(%q, {method: "POST", redirect: "manual", body: %q,
		headers: {"Content-Type": %q, "X-CSRF-Token": document.querySelector("[name=csrf]").value}}).then((r) => r.status)`, path, body, kind))
}
