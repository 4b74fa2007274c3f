package console_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/webhooksample"
	"github.com/rechargeflow/rechargeflow/test/browser"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	customer = 246936001
	password = "correct horse battery staple"
	flowPath = "/acme/flows/subscription_started"
)

// What the webhooks carry, and no page may show.
const (
	phone = "+15035550101"
	email = "sample-246936001@example.com"
	hash  = "000000000eb7f1c1"
)

// payload is in the name and the product of the customer. It must be text everywhere.
const payload = `<img src=x onerror='executed.push("webhook")'>`

// desk is a console of the whole binary, a tab that is open at it, and what the tab has shown.
type desk struct {
	*browser.Tab

	t   *testing.T
	lab *lab.Lab
	url string
}

// start starts all roles, with an operator and a viewer who have passwords.
func start(t *testing.T, b *browser.Browser) *desk {
	t.Helper()
	dir := t.TempDir()
	binary, people := filepath.Join(dir, "rechargeflow"), filepath.Join(dir, "people.yaml")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/rechargeflow").CombinedOutput()
	require.NoError(t, err, string(out))
	secret, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	require.NoError(t, err)
	require.NoError(t, access.AddPerson(people, "ann", access.Operator, string(secret)))
	l, err := lab.New(dir, binary)
	require.NoError(t, err)
	t.Cleanup(l.Close)
	p, err := l.Launch(t.Context(), []string{"RECHARGEFLOW_CONSOLE_PEOPLE_FILE=" + people})
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	require.NoError(t, p.AwaitReady(t.Context()), p.Output())
	return &desk{Tab: b.Tab(t, browser.Desk()), t: t, lab: l, url: "http://" + l.Console}
}

// visit opens a page.
func (d *desk) visit(path string) {
	d.t.Helper()
	d.Open(d.url + path)
}

// look checks the page that is shown, and saves a picture of it.
func (d *desk) look(picture string) {
	d.t.Helper()
	d.Picture("console-" + picture)
	assert.Empty(d.t, d.Problems(), picture)
	assert.Empty(d.t, d.Overflows(), picture)
	page := browser.Value[string](d.Tab, "document.documentElement.outerHTML")
	for _, secret := range []string{phone, email, hash, password, lab.Secret} {
		assert.NotContains(d.t, page, secret, picture)
	}
}

// webhook sends a sample of a topic, with the payload in its names.
func (d *desk) webhook(topic recharge.Topic) {
	d.t.Helper()
	body, err := webhooksample.Sample{Topic: topic, Version: recharge.Version202111, Customer: customer, At: time.Now()}.Body()
	require.NoError(d.t, err)
	encoded, err := json.Marshal(payload)
	require.NoError(d.t, err)
	for _, name := range []string{"House Blend", `"Sample"`, "1 lb"} {
		body = bytes.ReplaceAll(body, []byte(name), []byte(strings.Replace(name, strings.Trim(name, `"`), strings.Trim(string(encoded), `"`), 1)))
	}
	status, answer, err := d.lab.Send(d.t.Context(), lab.Webhook{Store: lab.Store, Topic: string(topic), Body: body})
	require.NoError(d.t, err)
	require.Equal(d.t, http.StatusOK, status, answer)
}

// TestConsole is a day of a marketer who is an operator, too.
func TestConsole(t *testing.T) {
	b := browser.Start(t)
	d := start(t, b)
	d.logIn()
	d.changeFlow()
	d.activate()
	d.watch()
	d.follow()
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
	d.Sees("[role=status]", "The flow is on")
	d.Sees(".head .badge", "On")
	d.Sees("#text", "welcome")
	assert.True(d.t, browser.Value[bool](d.Tab, `document.activeElement.matches("[data-focus]")`), "who can't see hears what was done")
}

// watch sends webhooks, and sees the text appear without loading the page again.
func (d *desk) watch() {
	d.visit("/acme/")
	d.Await(`document.documentElement.classList.contains("live")`)
	browser.Value[int](d.Tab, "window.loaded = 1")
	d.webhook("customer/created")
	d.webhook("subscription/created")
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
	d.Sees(".diff ins", "active: true")
	d.look("versions")
	d.visit(flowPath)
	d.Click(`form[action$="/deactivate"] button`)
	d.Sees("[role=status]", "The flow is off")
	d.Sees(".head .badge", "Off")
	d.Look(browser.Phone().InDark())
	d.look("flow-phone-dark")
	d.Look(browser.Desk())
}

func (d *desk) logOut() {
	d.Click(".who button")
	d.Sees("h1", "Log in")
	d.visit(flowPath)
	d.Sees("h1", "Log in")
}
