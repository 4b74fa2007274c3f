package pages

import (
	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
)

// Login answers with the page for logging in: see access.Config.
func (p *Pages) Login(c echo.Context, form access.LoginForm) error {
	return p.write(c, form.Status, "login.html", view{Title: "Log in", CSRF: form.CSRF, Page: form})
}
