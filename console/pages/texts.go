package pages

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
)

// pageSize is how many rows a page of a list has.
const pageSize = 50

// textsPage is a page of texts.
type textsPage struct {
	Query    service.TextQuery
	Texts    []service.TextRow
	Next     string
	Unknown  int
	Flows    []flow.Key
	Statuses []message.Status
	Searched bool
	Reading  service.Reading
}

func (p *Pages) texts(c echo.Context) error {
	ctx, store := c.Request().Context(), c.Param("store")
	own := textsPage{Flows: flow.Keys(), Statuses: textStates()}
	own.Query = service.TextQuery{
		Store: store, Search: c.QueryParam("search"), CustomerID: c.QueryParam("customer"), Flow: flow.Key(c.QueryParam("flow")),
		Status: c.QueryParam("status"), Cursor: c.QueryParam("cursor"), Limit: pageSize, Whole: wholeOnly(c),
	}
	own.Searched = own.Query.Search != "" || own.Query.Flow != "" || own.Query.Status != "" || own.Query.CustomerID != "" || own.Query.Cursor != ""
	found, err := p.service.Texts(ctx, own.Query)
	if err != nil {
		return err
	}
	if own.Unknown, err = p.service.CountUnknown(ctx, store); err != nil {
		return err
	}
	if own.Reading, err = p.service.Reading(ctx); err != nil {
		return err
	}
	own.Texts, own.Next = found.Texts, older(c, found.Next)
	return p.show(c, "texts.html", "Texts", own)
}

// wordsKept is how long recharge.message-texts has what a text said, after its end.
const wordsKept = 35 * 24 * time.Hour

// textPage is one text.
type textPage struct {
	Text       service.Text
	Reveal     bool
	Resolvable bool // its outcome is unknown
	Gone       bool // its words are not kept any more
}

func (p *Pages) text(c echo.Context) error {
	found, err := p.service.Text(c.Request().Context(), c.Param("store"), c.Param("text"), reveals(c))
	if err != nil {
		return err
	}
	return p.show(c, "text.html", "Text", textPage{
		Text: found, Reveal: reveals(c), Resolvable: message.Status(found.Status) == message.Unknown, Gone: p.now().Sub(found.At) > wordsKept,
	})
}

// resolve records what an operator found out.
func (p *Pages) resolve(c echo.Context) error {
	store, id := c.Param("store"), c.Param("text")
	err := p.service.Resolve(c.Request().Context(), person(c).Name, service.Resolution{
		Store: store, CustomerID: c.FormValue("customer"), ID: id, Outcome: c.FormValue("outcome"), Note: text(c, "note"),
	})
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, link(store, "texts", id)+"?done=recorded")
}
