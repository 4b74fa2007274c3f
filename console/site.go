package console

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
)

// APIPath is the path of the API.
const APIPath = "/api/v1"

// Part is one part of a site, such as the pages.
type Part interface {
	// Mount adds the part's routes to a group.
	Mount(group *echo.Group)
	// Fail answers a request to the part whose handler, or whose address, is in error: *echo.HTTPError for an address that does not exist. It
	// answers nothing if the answer has begun (c.Response().Committed).
	Fail(err error, c echo.Context)
}

// Gate decides who gets in, and adds headers to each answer.
type Gate interface {
	// Guard passes a request to next if its session or token allows it. It knows the addresses that everybody may use.
	Guard(next echo.HandlerFunc) echo.HandlerFunc
	// Mount adds the routes of logging in and out.
	Mount(group *echo.Group)
}

// Site is what requests are answered with.
type Site struct {
	Gate  Gate
	API   Part // mounted at APIPath
	Pages Part // mounted at the root; answers all errors outside APIPath. nil: the API answers them, too
}

// Handler returns the handler of a site. A request passes, in this order: measuring, recovering from a panic, the gate, the route.
func (s Site) Handler(m Measure) http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		if s.Pages == nil || isAPI(c.Request()) {
			s.API.Fail(err, c)
			return
		}
		s.Pages.Fail(err, c)
	}
	e.Pre(m.measured, m.recovered)
	e.Use(s.Gate.Guard, answering)
	s.Gate.Mount(e.Group(""))
	s.API.Mount(e.Group(APIPath))
	if s.Pages != nil {
		s.Pages.Mount(e.Group(""))
	}
	return e
}

// isAPI reports whether a request is one to the API, whose answers are JSON.
func isAPI(r *http.Request) bool {
	return r.URL.Path == APIPath || strings.HasPrefix(r.URL.Path, APIPath+"/")
}

// answering keeps the connection of somebody who is logged in, whatever the number of connections, until the answer is sent. A stream of events lasts, so
// it may have to make room: its reader begins again.
func answering(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if access.Of(r.Context()) != (access.Person{}) && r.Header.Get("Accept") != "text/event-stream" {
			httplimit.Answering(r.Context())
		}
		return next(c)
	}
}
