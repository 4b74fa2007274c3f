package api

import (
	_ "embed"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// document describes the API.
//
//go:embed openapi.yaml
var document []byte

// Service is what the API shows and does.
type Service interface {
	service.Marketing
	service.Operations
}

// API is the routes of the API: a part of the console's site.
type API struct {
	service   Service
	log       *zap.Logger
	heartbeat time.Duration // of streams
}

// New returns the API of a service.
func New(of Service, log *zap.Logger) *API { return &API{service: of, log: log, heartbeat: heartbeat} }

// route is one operation.
type route struct {
	method, path string // below /api/v1
	role         access.Role
	do           func(echo.Context) (answer, error)
}

// answer is what is sent back. A handler that has written its response itself returns the zero answer.
type answer struct {
	status  int // 0: 200
	body    any // nil: none
	version *int
}

func ok(body any, err error) (answer, error) { return answer{body: body}, err }

// versioned is ok for what has a version.
func versioned(body any, version int, err error) (answer, error) {
	return answer{body: body, version: &version}, err
}

// routes are all routes.
func (a *API) routes() []route {
	return slices.Concat(
		[]route{{http.MethodGet, "/openapi.yaml", access.Viewer, a.document}, {http.MethodGet, "/stores", access.Viewer, a.stores}},
		a.flowRoutes(), a.sendingRoutes(), a.segmentRoutes(), a.operationRoutes(),
	)
}

// Mount adds the routes to a group whose requests have a person: see access.Of.
func (a *API) Mount(group *echo.Group) {
	for _, r := range a.routes() {
		group.Add(r.method, r.path, func(c echo.Context) error {
			if !access.Of(c.Request().Context()).May(r.role) {
				return forbidden(r.role)
			}
			found, err := r.do(c)
			if err != nil {
				return err
			}
			return found.send(c)
		})
	}
}

// send writes the answer.
func (a answer) send(c echo.Context) error {
	if c.Response().Committed {
		return nil
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	if a.version != nil {
		c.Response().Header().Set("ETag", strconv.Quote(strconv.Itoa(*a.version)))
	}
	switch {
	case a.body == nil:
		return c.NoContent(http.StatusNoContent)
	case a.status == 0:
		return c.JSON(http.StatusOK, a.body)
	}
	return c.JSON(a.status, a.body)
}

func (a *API) document(c echo.Context) (answer, error) {
	return answer{}, c.Blob(http.StatusOK, "application/yaml", document)
}

func (a *API) stores(c echo.Context) (answer, error) {
	return ok(a.service.Stores(c.Request().Context()))
}

// who is the person of a request, for the history of what they change.
func who(c echo.Context) string { return access.Of(c.Request().Context()).Name }
