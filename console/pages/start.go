package pages

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
)

// stores shows all stores; a store that is the only one is shown at once.
func (p *Pages) stores(c echo.Context) error {
	v, err := p.page(c, "Stores", nil)
	if err != nil {
		return err
	}
	if len(v.Stores) == 1 && c.QueryParam("all") == "" {
		return c.Redirect(http.StatusSeeOther, link(v.Stores[0].Name, ""))
	}
	return p.write(c, http.StatusOK, "stores.html", v)
}

// goTo leads to the store that was chosen.
func (p *Pages) goTo(c echo.Context) error {
	stores, err := p.service.Stores(c.Request().Context())
	if err != nil {
		return err
	}
	if find(stores, c.QueryParam("store")) == nil {
		return fmt.Errorf("%w: no store has this name", service.ErrNotFound)
	}
	return c.Redirect(http.StatusSeeOther, link(c.QueryParam("store"), ""))
}

// startPage is the first page of a store.
type startPage struct {
	Overview         service.Overview
	Faults, Passed   []service.Check
	Events, Texts    int // of the last 24 hours
	Hours            []hour
	Waiting          int
	WaitingFor       []string
	DeadLetters      string // path of their page
	Chart, DarkChart string
	Live, From       string
}

// hour is what happened in an hour.
type hour struct {
	Begins        time.Time
	Events, Texts int
}

func (p *Pages) start(c echo.Context) error {
	store := c.Param("store")
	v, err := p.page(c, "Start", nil)
	if err != nil {
		return err
	}
	overview, err := p.service.Overview(c.Request().Context(), store)
	if err != nil {
		return err
	}
	v.Page = startOf(overview)
	return p.write(c, http.StatusOK, "start.html", v)
}

func startOf(o service.Overview) startPage {
	own := startPage{
		Overview: o, Hours: hoursOf(o), DeadLetters: "/deadletters?store=" + o.Store,
		Live: "/api/v1/stores/" + o.Store + "/live", From: link(o.Store, "") + "?part=now",
	}
	own.Faults, own.Passed = divide(o.Checks)
	for _, h := range own.Hours {
		own.Events, own.Texts = own.Events+h.Events, own.Texts+h.Texts
	}
	for _, w := range o.Waiting {
		own.Waiting += w.Count
		own.WaitingFor = append(own.WaitingFor, waitingFor(w))
	}
	own.Chart, own.DarkChart = chartPaths(link(o.Store, "day.svg"), own.Events+own.Texts)
	return own
}

// chartPaths returns the addresses of a chart in light and dark. They change with what the chart shows, so that a page that is updated in place
// shows the new one.
func chartPaths(path string, shows int) (light, dark string) {
	light = fmt.Sprintf("%s?n=%d", path, shows)
	return light, light + "&dark=1"
}

// divide returns the checks that someone should look at, the failed ones first, and the others.
func divide(checks []service.Check) (faults, passed []service.Check) {
	for _, check := range checks {
		if check.Status == "ok" {
			passed = append(passed, check)
		} else {
			faults = append(faults, check)
		}
	}
	slices.SortStableFunc(faults, func(a, b service.Check) int {
		switch a.Status {
		case b.Status:
			return 0
		case "failed":
			return -1
		}
		return 1
	})
	return faults, passed
}

func waitingFor(w service.Waiting) string {
	count := plural(w.Count, "text waits", "texts wait")
	switch w.For {
	case "release":
		return count + " for the time to send"
	case "paused":
		return count + " because texts are held"
	case "answer":
		return count + " for the provider's answer"
	case "resolution":
		return plural(w.Count, "text was", "texts were") + " perhaps sent: look at the provider's list"
	}
	return count + " for " + w.For
}

// hoursOf joins the events and texts of each hour, the oldest first.
func hoursOf(o service.Overview) []hour {
	var hours []hour
	at := func(begins time.Time) *hour {
		for i := range hours {
			if hours[i].Begins.Equal(begins) {
				return &hours[i]
			}
		}
		hours = append(hours, hour{Begins: begins})
		return &hours[len(hours)-1]
	}
	for _, e := range o.Events {
		at(e.Begins).Events = e.Count
	}
	for _, t := range o.Texts {
		at(t.Begins).Texts = t.Count
	}
	slices.SortFunc(hours, func(a, b hour) int { return a.Begins.Compare(b.Begins) })
	return hours
}

// dayChart shows the events and texts of the last 24 hours.
func (p *Pages) dayChart(c echo.Context) error {
	overview, err := p.service.Overview(c.Request().Context(), c.Param("store"))
	if err != nil {
		return err
	}
	hours := hoursOf(overview)
	chart := series{Names: []string{"events", "texts"}, Values: make([][]float64, 2), Width: 960, Height: 240}
	for i, h := range hours {
		chart.Labels = append(chart.Labels, hoursAgo(len(hours)-1-i))
		chart.Values[0] = append(chart.Values[0], float64(h.Events))
		chart.Values[1] = append(chart.Values[1], float64(h.Texts))
	}
	return writeChart(c, chart)
}

// hoursAgo labels an hour without a clock: an image does not know its reader's zone.
func hoursAgo(hours int) string {
	if hours == 0 {
		return "now"
	}
	return fmt.Sprintf("-%d h", hours)
}
