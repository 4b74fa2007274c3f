package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

func (a *API) flowRoutes() []route {
	const flows, one = "/stores/:store/flows", "/stores/:store/flows/:flow"
	return []route{
		{http.MethodGet, "/flow-stats", access.Viewer, a.flowStats},
		{http.MethodGet, flows, access.Viewer, a.flows},
		{http.MethodGet, one, access.Viewer, a.flow},
		{http.MethodPatch, one, access.Editor, a.saveFlow},
		{http.MethodPut, one + "/active", access.Editor, a.setActive},
		{http.MethodPost, one + "/restore", access.Editor, a.restoreFlow},
		{http.MethodGet, one + "/history", access.Viewer, a.flowHistory},
		{http.MethodGet, one + "/diff", access.Viewer, a.flowDiff},
		{http.MethodPost, one + "/preview", access.Viewer, a.previewFlow},
		{http.MethodPost, one + "/backtest", access.Viewer, a.backtest},
		{http.MethodPost, one + "/would-send", access.Viewer, a.wouldSend},
		{http.MethodPost, one + "/test", access.Editor, a.sendTest},
	}
}

// flowOf returns the store and the flow of an address.
func flowOf(c echo.Context) (store string, key flow.Key) {
	return c.Param("store"), flow.Key(c.Param("flow"))
}

func (a *API) flows(c echo.Context) (answer, error) {
	return ok(a.service.Flows(c.Request().Context(), c.Param("store")))
}

func (a *API) flow(c echo.Context) (answer, error) {
	store, key := flowOf(c)
	found, err := a.service.Flow(c.Request().Context(), store, key)
	return versioned(found, found.Version, err)
}

func (a *API) saveFlow(c echo.Context) (answer, error) {
	store, key := flowOf(c)
	var change service.SaveFlow
	var err error
	if change.Version, err = readVersioned(c, &change); err != nil {
		return answer{}, err
	}
	saved, err := a.service.SaveFlow(c.Request().Context(), who(c), store, key, change)
	return versioned(saved, saved.Flow.Version, err)
}

func (a *API) setActive(c echo.Context) (answer, error) {
	store, key := flowOf(c)
	var change struct {
		Version int   `json:"version"`
		Active  *bool `json:"active"`
	}
	version, err := readVersioned(c, &change)
	if err != nil {
		return answer{}, err
	}
	if change.Active == nil {
		return answer{}, refuse(http.StatusBadRequest, "the body is not valid: active is missing")
	}
	saved, err := a.service.SetActive(c.Request().Context(), who(c), store, key, service.SetActive{Version: version, Active: *change.Active})
	return versioned(saved, saved.Flow.Version, err)
}

func (a *API) restoreFlow(c echo.Context) (answer, error) {
	store, key := flowOf(c)
	var change struct {
		Version int  `json:"version"`
		To      *int `json:"to"`
	}
	version, err := readVersioned(c, &change)
	if err != nil {
		return answer{}, err
	}
	if change.To == nil {
		return answer{}, refuse(http.StatusBadRequest, "the body is not valid: to is missing")
	}
	saved, err := a.service.RestoreFlow(c.Request().Context(), who(c), store, key, service.RestoreFlow{Version: version, To: *change.To})
	return versioned(saved, saved.Flow.Version, err)
}

func (a *API) flowHistory(c echo.Context) (answer, error) {
	store, key := flowOf(c)
	return ok(a.service.FlowHistory(c.Request().Context(), store, key))
}

const maxVersion = 1 << 30

func (a *API) flowDiff(c echo.Context) (answer, error) {
	store, key := flowOf(c)
	from, err := number(c, "from", 0, 0, maxVersion)
	if err != nil {
		return answer{}, err
	}
	to, err := number(c, "to", -1, 0, maxVersion)
	if err != nil {
		return answer{}, err
	}
	if to < 0 {
		return answer{}, refuse(http.StatusBadRequest, "to is missing: the version to compare with from")
	}
	return ok(a.service.FlowDiff(c.Request().Context(), store, key, from, to))
}

func (a *API) previewFlow(c echo.Context) (answer, error) {
	store, key := flowOf(c)
	var request service.PreviewRequest
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	if err := mayReveal(c, request.Reveal); err != nil {
		return answer{}, err
	}
	return ok(a.service.PreviewFlow(c.Request().Context(), store, key, request))
}

func (a *API) backtest(c echo.Context) (answer, error) {
	store, key := flowOf(c)
	var request service.BacktestRequest
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	if err := mayReveal(c, request.Reveal); err != nil {
		return answer{}, err
	}
	return ok(a.service.Backtest(c.Request().Context(), store, key, request))
}

func (a *API) wouldSend(c echo.Context) (answer, error) {
	store, key := flowOf(c)
	var request struct {
		Draft service.Draft `json:"draft"`
	}
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	return ok(a.service.WouldSend(c.Request().Context(), store, key, request.Draft))
}

func (a *API) sendTest(c echo.Context) (answer, error) {
	store, key := flowOf(c)
	var request service.TestRequest
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	return ok(a.service.SendTest(c.Request().Context(), who(c), store, key, request))
}

func (a *API) flowStats(c echo.Context) (answer, error) {
	request := service.StatsRequest{Store: c.QueryParam("store"), Flow: flow.Key(c.QueryParam("flow")), Zone: c.QueryParam("time_zone")}
	const most = 400
	var err error
	if request.RecoveredWithin, err = number(c, "recovered_within", 0, 1, most); err != nil {
		return answer{}, err
	}
	if request.ReactivatedWithin, err = number(c, "reactivated_within", 0, 1, most); err != nil {
		return answer{}, err
	}
	if request.Total, err = yes(c, "total"); err != nil {
		return answer{}, err
	}
	if since := c.QueryParam("since"); isDay(since) {
		request.FirstDay = since
	} else if request.Since, err = instant(c, "since"); err != nil {
		return answer{}, err
	}
	return ok(a.service.FlowStats(c.Request().Context(), request))
}

func isDay(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}
