package console_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/test/browser"
)

// space presses a button.
const space = " "

// byKeyboard logs in, changes a flow and activates it with Tab, Enter and Space alone.
func (s *system) byKeyboard(t *testing.T) {
	d := s.desk(t)
	d.visit(flowPath)
	d.tabTo("#name")
	d.Press("ann")
	d.tabTo("#password")
	d.Press(password)
	d.tabTo("main button")
	d.Press(space)
	d.Sees("h1", "Subscription Started")
	d.skip()
	d.visit("/acme/")
	d.tabTo(`nav a[href="/acme/flows"]`)
	d.Press(kb.Enter)
	d.Sees("h1", "Flows")
	d.tabTo(`main a[href="/acme/flows/charge_paid"]`)
	d.Press(kb.Enter)
	d.Sees("h1", "Charge Paid")

	d.tabTo("#text")
	d.Press("Typed by keyboard. ")
	d.Sees(".bubble", "Typed by keyboard.")
	d.tabTo("#flow button.main")
	d.Press(kb.Enter)
	d.done("Saved")
	assert.Contains(t, d.flowOf(flow.ChargePaid).Text, "Typed by keyboard.")
	assert.False(t, d.flowOf(flow.ChargePaid).Active)
	d.tabTo(`button[value="review"]`)
	d.Press(space)
	d.Sees("h1", "Activate Charge Paid?")
	d.tabTo(`button[value="activate"]`)
	d.Press(kb.Enter)
	d.done("The flow is on")
	assert.True(t, d.flowOf(flow.ChargePaid).Active)
	d.look("keyboard")
}

// skip follows the first link of a page, past the navigation.
func (d *desk) skip() {
	d.t.Helper()
	d.visit("/acme/flows")
	d.Press(kb.Tab)
	require.True(d.t, browser.Value[bool](d.Tab, `document.activeElement.matches(".skip")`), "the first Tab")
	assert.Empty(d.t, browser.Value[string](d.Tab, faint))
	d.Press(kb.Enter)
	d.Await(`document.activeElement.id === "main"`)
	d.Press(kb.Tab)
	assert.True(d.t, browser.Value[bool](d.Tab, `document.querySelector("main").contains(document.activeElement)`), "the next Tab is in the content")
}

// faint is what has the focus, if that can't be seen: it lies outside of the window, or nothing is drawn around it.
const faint = `(() => { const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
	if (e === document.body) return "";
	const drawn = e.matches(":focus-visible") && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
	const inside = box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
	return drawn && inside ? "" : e.outerHTML.slice(0, 200) + " " + style.outline + " " + JSON.stringify(box); })()`

// tabTo presses Tab until an element has the focus. Each that has it on the way must be seen to have it.
func (d *desk) tabTo(selector string) {
	d.t.Helper()
	const most = 100
	for range most {
		d.Press(kb.Tab)
		require.Empty(d.t, browser.Value[string](d.Tab, faint), "on the way to %s", selector)
		if browser.Value[bool](d.Tab, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			return
		}
	}
	require.Fail(d.t, "Tab does not lead to "+selector)
}
