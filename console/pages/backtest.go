package pages

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/backtest"
)

// backtestPage plays a draft over what has happened.
type backtestPage struct {
	Flow                     service.FlowInfo
	Days                     int
	Text, TextsPerDay, Price string
	Quiet                    bool
	Faults                   []service.Fault
	Report                   *service.Backtest
	Hours                    []hourOfDay
}

// hourOfDay is how many texts there were in an hour of the customers' clocks.
type hourOfDay struct {
	Hour        string
	Texts, Most int
}

func (p *Pages) backtest(c echo.Context) error {
	o, err := p.open(c)
	if err != nil {
		return err
	}
	own := backtestPage{
		Flow: o.page.Flow, Days: days(c, 7, 30), Text: cmp.Or(text(c, "text"), o.page.Flow.Text), Quiet: o.page.Flow.QuietHours,
		TextsPerDay: text(c, "texts_per_day"), Price: text(c, "price"),
	}
	if c.QueryParam("play") == "" {
		return p.show(c, "flow_backtest.html", "Try "+own.Flow.Name, own)
	}
	own.Quiet = checked(c, "quiet_hours")
	request := service.BacktestRequest{
		Draft: service.Draft{Text: &own.Text, QuietHours: &own.Quiet}, Since: p.ago(own.Days), Price: own.Price,
		TextsPerDay: optional(c, "texts_per_day", &own.Faults),
	}
	if len(own.Faults) == 0 {
		report, err := p.service.Backtest(c.Request().Context(), o.store, o.key, request)
		own.Faults = faults(err)
		if err != nil && own.Faults == nil {
			return err
		}
		if err == nil {
			own.Report, own.Hours = &report, hoursOfDay(report.Report)
		}
	}
	status := http.StatusOK
	if len(own.Faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return p.showStatus(c, status, "flow_backtest.html", "Try "+own.Flow.Name, own)
}

// hoursOfDay returns the hours in which there were texts.
func hoursOfDay(report *backtest.Report) []hourOfDay {
	var hours []hourOfDay
	most := slices.Max(report.Hours[:])
	for hour, texts := range report.Hours {
		if texts > 0 {
			hours = append(hours, hourOfDay{Hour: fmt.Sprintf("%02d", hour), Texts: texts, Most: most})
		}
	}
	return hours
}
