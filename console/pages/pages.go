package pages

import (
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// Service is what the pages show and do.
type Service interface {
	service.Marketing
	service.Operations
}

// Config is what the pages are built from.
type Config struct {
	Service Service
	Now     func() time.Time
}

// Pages are the pages of the console.
type Pages struct {
	service   Service
	now       func() time.Time
	assets    assets
	templates map[string]*template.Template
}

// New reads the templates.
func New(cfg Config) (*Pages, error) {
	files, err := newAssets()
	if err != nil {
		return nil, err
	}
	p := &Pages{service: cfg.Service, now: cfg.Now, assets: files}
	if p.templates, err = p.parse(); err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	return p, nil
}

// Public are the patterns of routes that need nobody to be logged in: the page for logging in has a style sheet, too.
func Public() []string { return []string{assetPattern} }

// Mount adds the routes of the pages.
func (p *Pages) Mount(g *echo.Group) {
	g.GET(assetPattern, p.assets.serve)
	g.GET("/", p.stores)
	g.GET("/go", p.goTo)
	g.GET("/pipeline", p.pipeline)
	g.GET("/deadletters", p.letters)
	g.GET("/deadletters/:role/:partition/:offset", p.letter)
	g.POST("/deadletters/replay", p.replay, only(access.Operator))
	g.GET("/access", p.access)
	g.POST("/access/tokens", p.createToken, only(access.Operator))
	g.POST("/access/tokens/revoke", p.revokeToken, only(access.Operator))
	p.mountFlows(g.Group("/:store/flows"))
	p.mountStore(g.Group("/:store"))
}

func (p *Pages) mountFlows(g *echo.Group) {
	g.GET("", p.flows)
	g.GET("/stats", p.stats)
	g.GET("/stats/chart.svg", p.statsChart)
	g.GET("/:flow", p.flow)
	g.POST("/:flow", p.saveFlow, only(access.Editor))
	g.POST("/:flow/preview", p.preview)
	g.POST("/:flow/activate", p.activate, only(access.Editor))
	g.POST("/:flow/deactivate", p.deactivate, only(access.Editor))
	g.POST("/:flow/test", p.sendTest, only(access.Editor))
	g.GET("/:flow/versions", p.versions)
	g.POST("/:flow/restore", p.restore, only(access.Editor))
	g.GET("/:flow/backtest", p.backtest)
}

func (p *Pages) mountStore(g *echo.Group) {
	g.GET("", func(c echo.Context) error { return c.Redirect(http.StatusMovedPermanently, link(c.Param("store"), "")) })
	g.GET("/", p.start)
	g.GET("/day.svg", p.dayChart)
	g.GET("/sending", p.sending)
	g.POST("/sending", p.setSending, only(access.Editor))
	g.POST("/sending/pause", p.pause, only(access.Operator))
	g.POST("/sending/number", p.number)
	g.GET("/texts", p.texts)
	g.GET("/texts/:text", p.text)
	g.POST("/texts/:text/resolve", p.resolve, only(access.Operator))
	g.GET("/customers", p.customers)
	g.GET("/customers/:customer", p.customer)
	g.GET("/segments", p.segments)
	g.POST("/segments", p.saveSegment)
	g.POST("/segments/count", p.countSegment)
	g.POST("/segments/push", p.pushSegments, only(access.Editor))
	g.GET("/segments/:segment", p.segment)
	g.POST("/segments/:segment", p.replaceSegment, only(access.Editor))
	g.GET("/segments/:segment/export", p.exportSegment)
	g.POST("/segments/:segment/delete", p.deleteSegment, only(access.Editor))
	g.GET("/events", p.events)
	g.POST("/events/samples", p.sendSamples, only(access.Editor))
}

// only refuses persons who have a lesser role.
func only(role access.Role) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if !person(c).May(role) {
				return fmt.Errorf("%w: this needs the role %s", service.ErrForbidden, role)
			}
			return next(c)
		}
	}
}

func person(c echo.Context) access.Person { return access.Of(c.Request().Context()) }

// reveals reports whether personal data is shown: if the request asks for it, and is an operator's.
func reveals(c echo.Context) bool {
	return c.QueryParam("reveal") != "" && person(c).May(access.Operator)
}

// wholeOnly reports whether the person finds customers only by what they know of them already.
func wholeOnly(c echo.Context) bool { return !person(c).May(access.Editor) }
