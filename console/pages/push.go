package pages

import (
	"fmt"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
)

// pushSegments pushes all segments to Bloomreach, after a question that says how many properties would be set.
func (p *Pages) pushSegments(c echo.Context) error {
	ctx, who, store := c.Request().Context(), person(c).Name, c.Param("store")
	if confirmed := c.FormValue("confirm"); confirmed != "" {
		count, err := strconv.Atoi(confirmed)
		if err != nil {
			return fmt.Errorf("%w: the form names no number of properties", service.ErrInvalid)
		}
		if _, err := p.service.PushSegments(ctx, who, store, service.PushRequest{Confirm: &count}); err != nil {
			return err
		}
		return then(c, link(store, "segments"), "pushing")
	}
	would, err := p.service.PushSegments(ctx, who, store, service.PushRequest{DryRun: true})
	if err != nil {
		return err
	}
	added, removed := would.Changes()
	return p.confirm(c, confirmation{
		Title: "Push segments to Bloomreach?",
		What: "This sets " + plural(added+removed, "property", "properties") + " of customers: " + plural(added, "customer", "customers") + " became a member of a segment, and " +
			plural(removed, "customer is", "customers are") + " none any more.",
		Then: "Only differences are sent.", Action: link(store, "segments", "push"), Button: "Push", Count: added + removed, Back: link(store, "segments"),
	})
}
