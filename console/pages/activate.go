package pages

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
)

// activatePage asks whether a flow shall be activated.
type activatePage struct {
	flowPage
	Would   *service.WouldSend
	Unknown string // why Would is nil
	// Waiting are the texts that are sent once due; Counted is false while that is not known.
	Waiting int
	Counted bool
	Fields  []field
}

// activate shows what would be sent and, after a look at it, saves what was typed and switches the flow on.
func (p *Pages) activate(c echo.Context) error {
	o, err := p.open(c)
	if err != nil {
		return err
	}
	if c.FormValue("step") != "activate" {
		return p.review(c, o)
	}
	saved, err := p.save(c, o)
	if err == nil && !saved.Flow.Active {
		saved, err = p.service.SetActive(c.Request().Context(), person(c).Name, o.store, o.key, service.SetActive{Version: saved.Flow.Version, Active: true})
	}
	if err != nil {
		return p.refused(c, o, err)
	}
	if o.page.Flow.Active {
		return then(c, link(o.store, "flows", o.key), done(saved, "saved"))
	}
	return then(c, link(o.store, "flows", o.key), "activated")
}

// review shows what activating does.
func (p *Pages) review(c echo.Context, o *opened) error {
	if err := p.look(c, o); err != nil {
		return err
	}
	own := activatePage{flowPage: o.page}
	own.Faults = append(own.Faults, o.page.Preview.Faults...)
	would, err := p.service.WouldSend(c.Request().Context(), o.store, o.key, o.draft)
	switch {
	case errors.Is(err, service.ErrUnavailable), errors.Is(err, service.ErrLimited):
		own.Unknown = err.Error()
	case err != nil:
		return err
	default:
		own.Would, own.Counted = &would, would.Waiting != nil
	}
	if own.Counted {
		own.Waiting = *would.Waiting
	}
	own.Fields = fieldsOf(c, o.page.Draft)
	status := http.StatusOK
	if len(own.Faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return p.showStatus(c, status, "flow_activate.html", "Activate "+o.page.Flow.Name, own)
}

// fieldsOf are the fields that bring what was typed to the next step.
func fieldsOf(c echo.Context, d draft) []field {
	fields := []field{
		{"version", c.FormValue("version")}, {"text", d.Text}, {"name", d.Name}, {"window", d.Window}, {"per_charge", d.PerCharge},
	}
	if d.QuietHours {
		fields = append(fields, field{"quiet_hours", "on"})
	}
	if d.DailyCap {
		fields = append(fields, field{"daily_cap", "on"})
	}
	return fields
}

func (p *Pages) deactivate(c echo.Context) error {
	o, err := p.open(c)
	if err != nil {
		return err
	}
	o.page.Draft, o.draft = draftOf(o.page.Flow), service.Draft{} // the form of the button has no text
	o.page.Changed, o.page.More = false, false
	seen, err := strconv.Atoi(c.FormValue("version"))
	if err != nil {
		return p.refused(c, o, service.ErrInvalid)
	}
	_, err = p.service.SetActive(c.Request().Context(), person(c).Name, o.store, o.key, service.SetActive{Version: seen})
	if err != nil {
		return p.refused(c, o, err)
	}
	return then(c, link(o.store, "flows", o.key), "deactivated")
}
