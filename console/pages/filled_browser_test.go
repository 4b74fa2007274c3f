package pages_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/test/browser"
)

// nowhere is an address that does not exist.
const nowhere = "/nowhere/at/all"

// addresses are those of all pages that are read.
func addresses() []string {
	return []string{
		"/?all=1", "/acme/", "/acme/flows", "/acme/flows/stats", "/acme/flows/charge_paid", "/acme/flows/charge_paid/versions",
		"/acme/flows/charge_paid/backtest?play=1", "/acme/sending", "/acme/texts", "/acme/texts/4e63301a", "/acme/customers",
		"/acme/customers/246936001?timeline=1&reveal=1", "/acme/segments", "/acme/segments/at_risk", "/acme/events", "/pipeline", "/deadletters",
		"/deadletters/sms/3/17?reveal=1", "/access", "/login", nowhere,
	}
}

// answers are pages that answer to a form, by its address and fields: questions before something that can't be taken back, and results.
func answers() map[string]string {
	return map[string]string{
		"/deadletters/replay": "", "/acme/segments/at_risk/delete": "", "/access/tokens/revoke": "id=4e63301a", "/acme/segments/push": "", "/acme/sending/pause": "paused=true",
		"/acme/flows/charge_paid/activate": "step=review", "/acme/flows/charge_paid/test": "number=%2B15035550101", "/acme/sending/number": "do=show&number=%2B15035550101",
		"/acme/segments/count": "conditions=received+any", "/access/tokens": "name=x&role=viewer&days=30",
	}
}

// submit sends a form from the page that is open.
func submit(tab *browser.Tab, address, fields string) {
	browser.Value[int](tab, fmt.Sprintf(`(() => { const form = document.createElement("form"); form.method = "post"; form.action = %q;
		for (const [name, value] of new URLSearchParams(%q)) { const field = document.createElement("input"); field.type = "hidden"; field.name = name; field.value = value; form.append(field); }
		document.body.append(form); form.submit(); return 0; })()`, address, fields))
	tab.Await(fmt.Sprintf(`document.readyState === "complete" && location.pathname === %q`, address))
}

// TestNothingExecutes fills each field of each result of the service with payloads, opens all pages, and clicks and types in them. Nothing may be
// executed, nothing refused by the policy, which would mean that it got that far, and nothing may be asked of another host.
func TestNothingExecutes(t *testing.T) {
	b := browser.Start(t)
	server := site(t, filledService{&filler{texts: payloads()}}, access.Person{Name: payloads()[1], Role: access.Operator})
	tab := b.Tab(t, browser.Desk())
	for _, address := range addresses() {
		tab.Open(server.URL + address)
		tab.Await(`document.documentElement.classList.contains("script")`)
		// what a reader can do by pointing: focus everything, open everything
		browser.Value[int](tab, `(() => { document.querySelectorAll("details").forEach((d) => { d.open = true; });
			document.querySelectorAll("a, button, input, textarea, select, [tabindex]").forEach((e) => e.focus()); return 0; })()`)
		for _, link := range browser.Value[[]string](tab, `[...document.querySelectorAll("[href], [src], [action], [formaction], [srcset]")].map((e) =>
			e.href?.baseVal || e.href || e.currentSrc || e.src || e.action || e.formAction || e.srcset)`) {
			own := strings.HasPrefix(link, server.URL+"/") || strings.HasPrefix(link, "/")
			assert.True(t, own, "%s leads to %s", address, link)
		}
		for _, problem := range tab.Problems() {
			if address != nowhere || !strings.Contains(problem, "404") {
				assert.Fail(t, problem, address)
			}
		}
	}
	tab.Open(server.URL + "/acme/flows/charge_paid")
	for _, payload := range payloads() {
		browser.Value[int](tab, fmt.Sprintf(`(() => { const f = document.querySelector("#text"); f.value = %q;
			f.dispatchEvent(new Event("input", {bubbles: true})); return 0; })()`, payload))
	}
	tab.Await(`document.querySelector("#status").textContent !== ""`)
	assert.Empty(t, tab.Problems(), "typing")
}

// TestEverybody opens all pages in light and dark on a wide and a narrow screen: axe-core must find nothing, and nothing may be wider than the screen.
func TestEverybody(t *testing.T) {
	b := browser.Start(t)
	axe := b.Axe()
	if axe == "" {
		t.Skip("axe-core is not there: make axe fetches it with npm")
	}
	plain := &filler{texts: []string{"Ann's Coffee & Tea", "charge_paid", "Roasted_beans_of_a_very_long_name_without_any_space_in_it_for_a_small_screen", "10:00"}}
	server := site(t, filledService{plain}, access.Person{Name: "ann", Role: access.Operator})
	for _, look := range []browser.Look{browser.Desk(), browser.Desk().InDark(), browser.Phone(), browser.Phone().InDark()} {
		t.Run(look.String(), func(t *testing.T) {
			tab := b.Tab(t, look)
			for _, address := range addresses() {
				tab.Open(server.URL + address)
				tab.Await(`document.documentElement.classList.contains("script")`)
				for _, violation := range tab.Violations(axe) {
					assert.Fail(t, violation, address)
				}
				assert.Empty(t, tab.Overflows(), address)
				if address != nowhere {
					assert.Empty(t, tab.Problems(), address)
				}
			}
			for address, fields := range answers() {
				tab.Open(server.URL + "/pipeline")
				submit(tab, address, fields)
				tab.Await(`document.documentElement.classList.contains("script")`)
				for _, violation := range tab.Violations(axe) {
					assert.Fail(t, violation, address)
				}
				assert.Empty(t, tab.Overflows(), address)
			}
		})
	}
}
