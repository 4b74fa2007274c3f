package pages

import (
	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
)

// pushSegments pushes all segments to Bloomreach, after a question that says how many properties would be set.
func (p *Pages) pushSegments(c echo.Context) error {
	ctx, who, store := c.Request().Context(), person(c).Name, c.Param("store")
	if c.FormValue("confirm") != "" {
		if _, err := p.service.PushSegments(ctx, who, store, service.PushRequest{}); err != nil {
			return err
		}
		return then(c, link(store, "segments"), "pushing")
	}
	would, err := p.service.PushSegments(ctx, who, store, service.PushRequest{DryRun: true})
	if err != nil {
		return err
	}
	count := 0
	for _, n := range would.Added {
		count += n
	}
	added := count
	for _, n := range would.Removed {
		count += n
	}
	return p.confirm(c, confirmation{
		Title: "Push segments to Bloomreach?",
		What: "This sets " + plural(count, "property", "properties") + " of customers: " + plural(added, "customer", "customers") + " became a member of a segment, and " +
			plural(count-added, "customer is", "customers are") + " none any more.",
		Then: "Only differences are sent.", Action: link(store, "segments", "push"), Button: "Push", Count: count, Back: link(store, "segments"),
	})
}
