package console_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/test/browser"
)

const flowPath = "/acme/flows/subscription_started"

func TestConsole(t *testing.T) {
	s := start(t)
	t.Run("a day", s.aDay)
	t.Run("by keyboard", s.byKeyboard)
	t.Run("as a viewer", s.asViewer)
	t.Run("cut off", s.cutOff)
}

// aDay is that of a marketer who is an operator, too.
func (s *system) aDay(t *testing.T) {
	d := s.desk(t)
	d.logIn()
	d.changeFlow()
	d.activate()
	d.watch()
	d.follow()
	d.hold()
	d.resolve()
	d.replay()
	d.push()
	d.restore()
	d.undo()
	d.logOut()
}

func (d *desk) logIn() {
	d.visit("/")
	d.Sees("h1", "Log in")
	d.Type("#name", "ann")
	d.Type("#password", "wrong")
	d.Click("main button")
	d.Sees("[role=alert]", "Name or password is wrong")
	assert.Contains(d.t, strings.Join(d.Problems(), " "), "401", "the only problem is the answer to the wrong password")
	d.look("login")
	d.Type("#password", password)
	d.Click("main button")
	d.Sees("h1", "acme")
	d.Sees("#now", "No texts yet")
	d.look("start-empty")
}

// changeFlow types a text, sees it on the phone before it is saved, and saves it.
func (d *desk) changeFlow() {
	d.visit("/acme/flows")
	d.Sees("main", "Subscription Started")
	d.look("flows")
	d.visit(flowPath)
	d.Sees(".bubble", "Acme Coffee")
	d.Type("#text", "{{ shop_name }}: hello {{ nobody")
	d.Sees("#preview .notice.bad", "")
	d.Type("#text", "{{ shop_name }}: welcome {{ first_name | default: 'there' }}, your {{ product_title }} is on its way. ")
	d.Click(`[data-insert="{{ portal_url }}"]`)
	d.Sees(".bubble", "welcome")
	d.Sees(".bubble", "https://")
	d.Sees("#status", "part")
	d.look("flow")
	assert.True(d.t, browser.Value[bool](d.Tab, `document.activeElement.id === "text"`), "the cursor is still in the text")
}

// activate looks at what would be sent, then activates.
func (d *desk) activate() {
	d.Click(`button[value="review"]`)
	d.Sees("h1", "Activate Subscription Started?")
	d.Sees("main", "no text is sent at once")
	d.look("activate")
	d.Click(`button[value="activate"]`)
	d.done("The flow is on")
	d.Sees(".head .badge", "On")
	d.Sees("#text", "welcome")
}

// watch sends webhooks, and sees the text appear without loading the page again.
func (d *desk) watch() {
	d.visit("/acme/")
	d.Await(`document.documentElement.classList.contains("live")`)
	browser.Value[int](d.Tab, "window.loaded = 1")
	d.subscribe(d.t, customer)
	d.Sees("#now .feed", "subscription started")
	d.Sees("#now .feed", "Sent")
	d.Sees("#now .feed", payload)
	d.Sees("#status", "new")
	assert.Equal(d.t, 1, browser.Value[int](d.Tab, "window.loaded"), "the page was not loaded again")
	d.look("start")
}

// follow opens the text and its customer.
func (d *desk) follow() {
	d.Click(`#now a[href^="/acme/texts/"]:not([href="/acme/texts"])`)
	d.Sees("#life-title", "Its life")
	d.Sees(".bubble", "welcome")
	d.look("text")
	d.Click(`main a[href="/acme/customers/246936001"]`)
	d.Sees("#timeline-title", "Everything that happened")
	d.look("customer")
	d.Click(`a[href$="#timeline-title"]`)
	d.Sees(".life", "subscription/created")
	d.look("timeline")
	for path, words := range map[string]string{
		"/acme/texts?search=welcome": "welcome", "/acme/customers?search=246936001": "s***@example.com", "/acme/events": "subscription", "/acme/sending": "Quiet hours",
		"/acme/segments": "Build a segment", "/pipeline": "recharge.webhooks", "/deadletters": "There are none", "/access": "Tokens of the API",
		flowPath + "/backtest?play=1&days=1": "triggers", "/acme/flows/stats": "ubscription",
	} {
		d.visit(path)
		d.Sees("main", words)
		d.look("page" + strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-").Replace(path))
	}
}

// undo switches the flow off: restoring a version does not.
func (d *desk) undo() {
	d.visit(flowPath + "/versions")
	d.Sees(".diff ins", "welcome")
	d.look("versions")
	d.visit(flowPath)
	d.Click(`form[action$="/deactivate"] button`)
	d.done("The flow is off")
	d.Sees(".head .badge", "Off")
	d.Look(browser.Phone().InDark())
	d.Picture("console-flow-phone-dark")
	d.Look(browser.Desk())
}

func (d *desk) logOut() {
	d.Click(".who button")
	d.Sees("h1", "Log in")
	d.visit(flowPath)
	d.Sees("h1", "Log in")
}
