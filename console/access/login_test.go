package access_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
)

func TestLogIn(t *testing.T) {
	c := newConsole(t, withBcrypt)
	b := c.browser()
	sent := b.get("/acme/flows?day=1&q=a%26b")
	assert.Equal(t, http.StatusSeeOther, sent.StatusCode)
	require.Equal(t, "/login?next=%2Facme%2Fflows%3Fday%3D1%26q%3Da%2526b", sent.Header.Get("Location"))
	b.get(sent.Header.Get("Location"))
	assert.Equal(t, access.LoginForm{Status: http.StatusOK, Passwords: true, Next: "/acme/flows?day=1&q=a%26b", CSRF: c.form.CSRF}, c.form)
	assert.NotEmpty(t, c.form.CSRF)

	wrong := b.post("/login", url.Values{"name": {"ann"}, "password": {"wrong"}, "csrf": {c.form.CSRF}, "next": {c.form.Next}})
	assert.Equal(t, http.StatusUnauthorized, wrong.StatusCode)
	assert.Equal(t, "Name or password is wrong.", c.form.Fault)
	assert.Equal(t, "ann", c.form.Name)
	assert.Equal(t, "/acme/flows?day=1&q=a%26b", c.form.Next)

	right := b.post("/login", url.Values{"name": {" Ann "}, "password": {annPassword}, "csrf": {c.form.CSRF}, "next": {c.form.Next}})
	assert.Equal(t, http.StatusSeeOther, right.StatusCode)
	assert.Equal(t, "/acme/flows?day=1&q=a%26b", right.Header.Get("Location"))
	page := b.get("/acme/flows")
	assert.Equal(t, http.StatusOK, page.StatusCode)
	assert.Equal(t, access.Person{Name: "ann", Role: access.Operator}, c.person)
	assert.Equal(t, "/", b.get("/login").Header.Get("Location"), "who has logged in needs no form")

	changed := b.post("/change", url.Values{"csrf": {page.body}})
	assert.Equal(t, "changed by ann", changed.body)

	assert.Equal(t, map[access.Outcome]int{access.WrongPassword: 1, access.LoggedIn: 1}, c.outcomes)
	out := b.post("/logout", url.Values{"csrf": {page.body}})
	assert.Equal(t, "/login", out.Header.Get("Location"))
	assert.Equal(t, http.StatusSeeOther, b.get("/acme/flows").StatusCode)
}

// Attempts that were refused unseen are counted apart from those that were wrong.
func TestLimitedAttemptsAreCounted(t *testing.T) {
	c := newConsole(t, nil)
	b := c.browser()
	b.get("/login")
	status := 0
	for attempts := 0; status != http.StatusTooManyRequests; attempts++ {
		require.Less(t, attempts, 100)
		status = b.post("/login", url.Values{"name": {"ann"}, "password": {"wrong"}, "csrf": {c.form.CSRF}}).StatusCode
	}
	assert.Equal(t, 1, c.outcomes[access.Limited])
	assert.Equal(t, 10, c.outcomes[access.WrongPassword])
	assert.Len(t, c.outcomes, 2)
}
