package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
	"github.com/rechargeflow/rechargeflow/test/browser"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// desk is a person at a tab of the console.
type desk struct {
	*browser.Tab
	*system

	t *testing.T
}

// desk opens a tab.
func (s *system) desk(t *testing.T) *desk {
	t.Helper()
	return &desk{Tab: s.browser.Tab(t, browser.Desk()), system: s, t: t}
}

// visit opens a page.
func (d *desk) visit(path string) {
	d.t.Helper()
	d.Open(d.url + path)
}

// enter logs a person in.
func (d *desk) enter(name string) {
	d.t.Helper()
	d.visit("/login")
	d.Type("#name", name)
	d.Type("#password", password)
	d.Click("main button")
	d.Sees("h1", "acme")
}

// look checks the page that is shown, and saves a picture of it.
func (d *desk) look(picture string) {
	d.t.Helper()
	d.fits(picture)
	d.clean(picture)
}

// fits checks that everybody can use the page that is shown, and saves a picture of it. console/pages checks all looks of all pages.
func (d *desk) fits(picture string) {
	d.t.Helper()
	d.Picture("console-" + picture)
	if d.axe != "" {
		assert.Empty(d.t, d.Violations(d.axe), picture)
	}
	for _, look := range []browser.Look{browser.Phone().InDark(), browser.Desk()} {
		d.Look(look)
		assert.Empty(d.t, d.Overflows(), "%s %s", picture, look)
	}
}

// clean checks that nothing went wrong in the page that is shown, and that it has no secret.
func (d *desk) clean(page string) {
	d.t.Helper()
	assert.Empty(d.t, d.Problems(), page)
	content := browser.Value[string](d.Tab, "document.documentElement.outerHTML")
	for _, secret := range secrets() {
		assert.NotContains(d.t, content, secret, page)
	}
}

// done waits until the page says what was done. The focus is there, so that who can't see hears it.
func (d *desk) done(says string) {
	d.t.Helper()
	d.Sees("main [role=status]", says)
	d.Await(`document.activeElement.matches("[data-focus]")`)
}

// until waits until something is so.
func (d *desk) until(what string, is func() bool) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 90*time.Second)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			require.FailNow(d.t, "it did not happen: "+what, d.process.Output())
		case <-ticker.C:
		}
	}
}

// finds opens a page again until an element has words, because it shows what was read of the topics so far.
func (d *desk) finds(path, selector, words string) {
	d.t.Helper()
	d.until(path+" has "+words, func() bool {
		d.visit(path)
		return browser.Value[bool](d.Tab, fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => e.textContent.includes(%q))", selector, words))
	})
}

// textOf returns the last change of a customer's text in the topic, the zero value if there is none.
func (d *desk) textOf(of int64) message.Change {
	d.t.Helper()
	all, err := lab.Messages(d.records(d.t, d.topics.Messages()))
	require.NoError(d.t, err)
	for _, each := range all {
		if each.RechargeCustomerID == strconv.FormatInt(of, 10) {
			return each
		}
	}
	return message.Change{}
}

// sentTo returns how many texts the provider took for a customer.
func (d *desk) sentTo(of int64) int {
	count := 0
	for _, text := range d.lab.Texts.Texts() {
		if text.To == phone(of) {
			count++
		}
	}
	return count
}

// flowOf returns the newest version of a flow in the topic.
func (d *desk) flowOf(key flow.Key) settings.Flow {
	d.t.Helper()
	var newest settings.Flow
	for _, record := range d.records(d.t, d.topics.Settings()) {
		var row settings.Flow
		if err := json.Unmarshal(record.Value, &row); err == nil && row.Key == key && row.Version >= newest.Version {
			newest = row
		}
	}
	return newest
}
