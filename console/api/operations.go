package api

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

func (a *API) operationRoutes() []route {
	const store, texts, customers, letters = "/stores/:store", "/stores/:store/texts", "/stores/:store/customers", "/dead-letters"
	return []route{
		{http.MethodGet, "/live", access.Viewer, a.live},
		{http.MethodGet, store + "/live", access.Viewer, a.live},
		{http.MethodGet, store + "/overview", access.Viewer, a.overview},
		{http.MethodGet, texts, access.Viewer, a.texts},
		{http.MethodGet, texts + "/:text", access.Viewer, a.text},
		{http.MethodPost, texts + "/:text/resolve", access.Operator, a.resolve},
		{http.MethodGet, customers, access.Viewer, a.customers},
		{http.MethodGet, customers + "/:customer", access.Viewer, a.customer},
		{http.MethodGet, customers + "/:customer/timeline", access.Viewer, a.timeline},
		{http.MethodGet, store + "/events", access.Viewer, a.events},
		{http.MethodPost, store + "/events/samples", access.Editor, a.sendSamples},
		{http.MethodGet, "/pipeline", access.Viewer, a.pipeline},
		{http.MethodGet, letters, access.Viewer, a.deadLetters},
		{http.MethodGet, letters + "/:role/:partition/:offset", access.Viewer, a.deadLetter},
		{http.MethodPost, letters + "/count", access.Viewer, a.countReplay},
		{http.MethodGet, letters + "/replays", access.Viewer, a.replays},
		{http.MethodPost, letters + "/replays", access.Operator, a.replay},
		{http.MethodGet, "/tokens", access.Operator, a.tokens},
		{http.MethodPost, "/tokens", access.Operator, a.createToken},
		{http.MethodDelete, "/tokens/:token", access.Operator, a.revokeToken},
	}
}

func (a *API) overview(c echo.Context) (answer, error) {
	return ok(a.service.Overview(c.Request().Context(), c.Param("store")))
}

// pageLimit is the largest page of a list.
const pageLimit = 200

func (a *API) texts(c echo.Context) (answer, error) {
	q := service.TextQuery{
		Store: c.Param("store"), Search: c.QueryParam("search"), CustomerID: c.QueryParam("customer"), Flow: flow.Key(c.QueryParam("flow")),
		Status: c.QueryParam("status"), Cursor: c.QueryParam("cursor"), Whole: wholeOnly(c),
	}
	var bad [3]error
	q.Since, bad[0] = instant(c, "since")
	q.Until, bad[1] = instant(c, "until")
	q.Limit, bad[2] = number(c, "limit", 0, 1, pageLimit)
	if err := errors.Join(bad[:]...); err != nil {
		return answer{}, err
	}
	return ok(a.service.Texts(c.Request().Context(), q))
}

func (a *API) text(c echo.Context) (answer, error) {
	reveal, err := revealed(c)
	if err != nil {
		return answer{}, err
	}
	return ok(a.service.Text(c.Request().Context(), c.Param("store"), c.Param("text"), reveal))
}

func (a *API) resolve(c echo.Context) (answer, error) {
	var request struct {
		Outcome string `json:"outcome"`
		Note    string `json:"note"`
	}
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted, body: struct{}{}}, a.service.Resolve(c.Request().Context(), who(c), service.Resolution{
		Store: c.Param("store"), ID: c.Param("text"), Outcome: request.Outcome, Note: request.Note,
	})
}

func (a *API) customers(c echo.Context) (answer, error) {
	limit, err := number(c, "limit", 0, 1, pageLimit)
	if err != nil {
		return answer{}, err
	}
	return ok(a.service.Customers(c.Request().Context(), service.CustomerQuery{
		Store: c.Param("store"), Search: c.QueryParam("search"), Whole: wholeOnly(c), Limit: limit,
	}))
}

func (a *API) customer(c echo.Context) (answer, error) {
	reveal, err := revealed(c)
	if err != nil {
		return answer{}, err
	}
	return ok(a.service.Customer(c.Request().Context(), c.Param("store"), c.Param("customer"), reveal))
}

func (a *API) timeline(c echo.Context) (answer, error) {
	reveal, err := revealed(c)
	if err != nil {
		return answer{}, err
	}
	since, err := instant(c, "since")
	if err != nil {
		return answer{}, err
	}
	return ok(a.service.Timeline(c.Request().Context(), service.TimelineQuery{Store: c.Param("store"), ID: c.Param("customer"), Since: since, Reveal: reveal}))
}

func (a *API) events(c echo.Context) (answer, error) {
	return ok(a.service.Events(c.Request().Context(), c.Param("store")))
}

func (a *API) sendSamples(c echo.Context) (answer, error) {
	var request struct {
		Email string `json:"email"`
	}
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	return ok(a.service.SendSamples(c.Request().Context(), who(c), c.Param("store"), request.Email))
}

func (a *API) pipeline(c echo.Context) (answer, error) {
	return ok(a.service.Pipeline(c.Request().Context()))
}

func (a *API) deadLetters(c echo.Context) (answer, error) {
	q := service.DeadLetterQuery{Role: c.QueryParam("role"), Store: c.QueryParam("store"), Reason: c.QueryParam("reason"), Cursor: c.QueryParam("cursor")}
	var bad [2]error
	q.Open, bad[0] = yes(c, "open")
	q.Limit, bad[1] = number(c, "limit", 0, 1, pageLimit)
	if err := errors.Join(bad[:]...); err != nil {
		return answer{}, err
	}
	return ok(a.service.DeadLetters(c.Request().Context(), q))
}

func (a *API) deadLetter(c echo.Context) (answer, error) {
	reveal, err := revealed(c)
	if err != nil {
		return answer{}, err
	}
	return ok(a.service.DeadLetter(c.Request().Context(), c.Param("role")+"/"+c.Param("partition")+"/"+c.Param("offset"), reveal))
}

func (a *API) countReplay(c echo.Context) (answer, error) {
	var request service.ReplayRequest
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	return ok(a.service.CountReplay(c.Request().Context(), request))
}

func (a *API) replay(c echo.Context) (answer, error) {
	var request service.ReplayRequest
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	replay, err := a.service.Replay(c.Request().Context(), who(c), request)
	return answer{status: http.StatusAccepted, body: replay}, err
}

func (a *API) replays(c echo.Context) (answer, error) {
	return ok(a.service.Replays(c.Request().Context()))
}

func (a *API) tokens(c echo.Context) (answer, error) {
	return ok(a.service.Tokens(c.Request().Context()))
}

func (a *API) createToken(c echo.Context) (answer, error) {
	var request service.TokenRequest
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	created, err := a.service.CreateToken(c.Request().Context(), access.Of(c.Request().Context()), request)
	return answer{status: http.StatusCreated, body: created}, err
}

func (a *API) revokeToken(c echo.Context) (answer, error) {
	return answer{}, a.service.RevokeToken(c.Request().Context(), access.Of(c.Request().Context()), c.Param("token"))
}
