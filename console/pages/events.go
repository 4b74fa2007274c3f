package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
)

// eventsPage is what a store tracks.
type eventsPage struct {
	Kinds   []service.EventKind
	Samples []service.SampleEvent
	Faults  []service.Fault
}

func (p *Pages) events(c echo.Context) error { return p.showEvents(c, http.StatusOK, eventsPage{}) }

func (p *Pages) showEvents(c echo.Context, status int, own eventsPage) error {
	var err error
	if own.Kinds, err = p.service.Events(c.Request().Context(), c.Param("store")); err != nil {
		return err
	}
	return p.showStatus(c, status, "events.html", "Events", own)
}

// sendSamples sends a sample of each event.
func (p *Pages) sendSamples(c echo.Context) error {
	sent, err := p.service.SendSamples(c.Request().Context(), person(c).Name, c.Param("store"), text(c, "email"))
	if wrong := faults(err); wrong != nil {
		return p.showEvents(c, http.StatusUnprocessableEntity, eventsPage{Faults: wrong})
	}
	if err != nil {
		return err
	}
	return p.showEvents(c, http.StatusOK, eventsPage{Samples: sent})
}
