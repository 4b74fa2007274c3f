package pages

import (
	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
)

// pipelinePage is the state of topics and groups.
type pipelinePage struct{ Pipeline service.Pipeline }

func (p *Pages) pipeline(c echo.Context) error {
	now, err := p.service.Pipeline(c.Request().Context())
	if err != nil {
		return err
	}
	return p.show(c, "pipeline.html", "Pipeline", pipelinePage{Pipeline: now})
}
