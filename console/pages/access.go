package pages

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// accessPage is who may use the console.
type accessPage struct {
	Tokens []service.Token
	New    *service.NewToken
	Roles  []access.Role
	Faults []service.Fault
}

func (p *Pages) access(c echo.Context) error { return p.showAccess(c, http.StatusOK, accessPage{}) }

func (p *Pages) showAccess(c echo.Context, status int, own accessPage) error {
	own.Roles = access.Roles()
	if who := person(c); who.May(access.Operator) {
		var err error
		if own.Tokens, err = p.service.Tokens(c.Request().Context()); err != nil {
			return err
		}
	}
	return p.showStatus(c, status, "access.html", "Access", own)
}

// createToken creates a token, whose secret is in the answer alone.
func (p *Pages) createToken(c echo.Context) error {
	var wrong []service.Fault
	lasts := number(c, "days", &wrong)
	if len(wrong) > 0 {
		return p.showAccess(c, http.StatusUnprocessableEntity, accessPage{Faults: wrong})
	}
	created, err := p.service.CreateToken(c.Request().Context(), person(c), service.TokenRequest{Name: text(c, "name"), Role: c.FormValue("role"), Days: lasts})
	if wrong := faults(err); wrong != nil {
		return p.showAccess(c, http.StatusUnprocessableEntity, accessPage{Faults: wrong})
	}
	if err != nil {
		return err
	}
	return p.showAccess(c, http.StatusOK, accessPage{New: &created})
}

// revokeToken revokes a token, after a question.
func (p *Pages) revokeToken(c echo.Context) error {
	id, name := c.FormValue("id"), c.FormValue("name")
	if c.FormValue("confirm") != "" {
		if err := p.service.RevokeToken(c.Request().Context(), person(c), id); err != nil {
			return err
		}
		return then(c, "/access", "revoked")
	}
	return p.confirm(c, confirmation{
		Title: fmt.Sprintf("Revoke the token %s?", name), What: "This revokes 1 token. Programs that use it are refused from then on.",
		Then: "It can't be taken back: they need a new one.", Action: "/access/tokens/revoke", Button: "Revoke " + name, Count: 1, Back: "/access",
		Fields: []field{{"id", id}, {"name", name}},
	})
}
