package api

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
)

func (a *API) segmentRoutes() []route {
	const all, one = "/stores/:store/segments", "/stores/:store/segments/:segment"
	return []route{
		{http.MethodGet, all, access.Viewer, a.segments},
		{http.MethodPost, all, access.Editor, a.saveSegment},
		{http.MethodDelete, one, access.Editor, a.deleteSegment},
		{http.MethodPost, all + "/count", access.Viewer, a.countSegments},
		{http.MethodGet, all + "/members", access.Viewer, a.members},
		{http.MethodGet, all + "/export", access.Viewer, a.exportSegment},
		{http.MethodGet, all + "/push", access.Viewer, a.lastPush},
		{http.MethodPost, all + "/push", access.Editor, a.pushSegments},
	}
}

func (a *API) segments(c echo.Context) (answer, error) {
	return ok(a.service.Segments(c.Request().Context(), c.Param("store")))
}

func (a *API) saveSegment(c echo.Context) (answer, error) {
	var change service.SaveSegment
	body, err := bodyOf(c)
	if err != nil {
		return answer{}, err
	}
	if err := decode(body, &change); err != nil {
		return answer{}, err
	}
	if change.Replace || change.Version != nil || hasIfMatch(c) {
		version, err := versionOf(c, change.Version)
		if err != nil {
			return answer{}, err
		}
		change.Version = &version
	}
	saved, err := a.service.SaveSegment(c.Request().Context(), who(c), c.Param("store"), change)
	return versioned(saved, saved.Version, err)
}

func (a *API) deleteSegment(c echo.Context) (answer, error) {
	version, err := versionOf(c, nil)
	if err != nil {
		return answer{}, err
	}
	return answer{}, a.service.DeleteSegment(c.Request().Context(), who(c), c.Param("store"), c.Param("segment"), version)
}

func (a *API) countSegments(c echo.Context) (answer, error) {
	var request struct {
		Segments []string `json:"segments"`
	}
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	return ok(a.service.CountSegments(c.Request().Context(), c.Param("store"), request.Segments...))
}

func (a *API) members(c echo.Context) (answer, error) {
	page := service.MembersPage{After: c.QueryParam("after")}
	var err error
	if page.Limit, err = number(c, "limit", 0, 1, service.MaxMembers); err != nil {
		return answer{}, err
	}
	if page.Reveal, err = revealed(c); err != nil {
		return answer{}, err
	}
	return ok(a.service.Members(c.Request().Context(), c.Param("store"), c.QueryParam("segment"), page))
}

func (a *API) exportSegment(c echo.Context) (answer, error) {
	format, given := parameter(c, "format")
	if !given {
		format = "csv"
	}
	kind := map[string]string{"csv": "text/csv; charset=utf-8", "json": "application/json"}[format]
	if kind == "" {
		return answer{}, refuse(http.StatusBadRequest, "format must be csv or json")
	}
	reveal, err := revealed(c)
	if err != nil {
		return answer{}, err
	}
	c.Response().Header().Set(echo.HeaderContentType, kind)
	c.Response().Header().Set("Cache-Control", "no-store")
	patience := httplimit.NewPatience(c.Response(), service.ExportWithin)
	_, err = a.service.ExportSegment(c.Request().Context(), c.Param("store"), c.QueryParam("segment"), format, reveal, patience)
	return answer{}, errors.Join(err, patience.End())
}

func (a *API) lastPush(c echo.Context) (answer, error) {
	return ok(a.service.LastPush(c.Request().Context(), c.Param("store")))
}

func (a *API) pushSegments(c echo.Context) (answer, error) {
	var request service.PushRequest
	if err := read(c, &request); err != nil {
		return answer{}, err
	}
	push, err := a.service.PushSegments(c.Request().Context(), who(c), c.Param("store"), request)
	if push.Running {
		return answer{status: http.StatusAccepted, body: push}, err
	}
	return ok(push, err)
}
