package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

func (a *API) sendingRoutes() []route {
	const sending, consent = "/stores/:store/sending", "/stores/:store/consent"
	return []route{
		{http.MethodGet, sending, access.Viewer, a.sending},
		{http.MethodPatch, sending, access.Editor, a.setSending},
		{http.MethodPost, sending + "/pause", access.Operator, a.pause(true)},
		{http.MethodPost, sending + "/resume", access.Operator, a.pause(false)},
		{http.MethodGet, consent, access.Viewer, a.consentCounts},
		{http.MethodPost, consent + "/lookup", access.Viewer, a.consentOf},
		{http.MethodPost, consent + "/opt-out", access.Editor, a.optOut},
		{http.MethodPost, consent + "/opt-in", access.Editor, a.optIn},
	}
}

func (a *API) sending(c echo.Context) (answer, error) {
	found, err := a.service.Sending(c.Request().Context(), c.Param("store"))
	return versioned(found, found.Version, err)
}

func (a *API) setSending(c echo.Context) (answer, error) {
	var change service.SetSending
	var err error
	if change.Version, err = readVersioned(c, &change); err != nil {
		return answer{}, err
	}
	now, err := a.service.SetSending(c.Request().Context(), who(c), c.Param("store"), change)
	return versioned(now, now.Version, err)
}

func (a *API) pause(paused bool) func(echo.Context) (answer, error) {
	return func(c echo.Context) (answer, error) {
		var request struct {
			Flows []flow.Key `json:"flows"`
		}
		if err := read(c, &request); err != nil {
			return answer{}, err
		}
		now, err := a.service.Pause(c.Request().Context(), who(c), c.Param("store"), service.Pause{Paused: paused, Flows: request.Flows})
		return versioned(now, now.Version, err)
	}
}

func (a *API) consentCounts(c echo.Context) (answer, error) {
	return ok(a.service.ConsentCounts(c.Request().Context(), c.Param("store")))
}

// consentOf gets the number in the body: addresses are logged by proxies.
func (a *API) consentOf(c echo.Context) (answer, error) {
	var request struct {
		Number string `json:"number"`
		Reveal bool   `json:"reveal"`
	}
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	if err := mayReveal(c, request.Reveal); err != nil {
		return answer{}, err
	}
	return ok(a.service.ConsentOf(c.Request().Context(), c.Param("store"), request.Number, request.Reveal))
}

func (a *API) optOut(c echo.Context) (answer, error) {
	var change service.ConsentChange
	if err := read(c, &change); err != nil {
		return answer{}, err
	}
	return ok(a.service.OptOut(c.Request().Context(), who(c), c.Param("store"), change))
}

func (a *API) optIn(c echo.Context) (answer, error) {
	var change service.ConsentChange
	if err := read(c, &change); err != nil {
		return answer{}, err
	}
	if change.DespiteStop && !access.Of(c.Request().Context()).May(access.Operator) {
		return answer{}, forbidden(access.Operator)
	}
	return ok(a.service.OptIn(c.Request().Context(), who(c), c.Param("store"), change))
}
