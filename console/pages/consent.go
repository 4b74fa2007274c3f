package pages

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// number looks a number up, and records a decision about it. The number is in no address, so that no log and no history has it.
func (p *Pages) number(c echo.Context) error {
	ctx, store := c.Request().Context(), c.Param("store")
	typed, change := text(c, "number"), c.FormValue("do")
	if change != "show" {
		if who := person(c); !who.May(access.Editor) {
			return fmt.Errorf("%w: this needs the role %s", service.ErrForbidden, access.Editor)
		}
		if err := p.decide(c, change, service.ConsentChange{Numbers: []string{typed}, Note: text(c, "note")}); err != nil {
			return p.sendingRefused(c, err)
		}
	}
	found, err := p.service.ConsentOf(ctx, store, typed, false)
	if err != nil {
		return p.sendingRefused(c, err)
	}
	return p.showSending(c, http.StatusOK, func(own *sendingPage) { own.Number = &found })
}

// decide records an opt-out or an opt-in.
func (p *Pages) decide(c echo.Context, change string, about service.ConsentChange) error {
	record := p.service.OptOut
	switch change {
	case "opt_out":
	case "opt_in":
		record = p.service.OptIn
	default:
		return service.ErrInvalid
	}
	_, err := record(c.Request().Context(), person(c).Name, c.Param("store"), about)
	return err
}
