package pages

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
)

// field is a hidden field of a form.
type field struct{ Name, Value string }

// text returns a field of a form, its lines ended as everywhere but in HTTP.
func text(c echo.Context, name string) string {
	return strings.ReplaceAll(strings.TrimSpace(c.FormValue(name)), "\r\n", "\n")
}

// checked reports whether a checkbox was checked.
func checked(c echo.Context, name string) bool { return c.FormValue(name) != "" }

// number reads a whole number, and adds what is wrong with it.
func number(c echo.Context, name string, wrong *[]service.Fault) int {
	n, err := strconv.Atoi(text(c, name))
	if err != nil {
		*wrong = append(*wrong, service.Fault{Field: name, Problem: fmt.Sprintf("%s is not a whole number", strings.ReplaceAll(name, "_", " "))})
	}
	return n
}

// optional is number of a field that may be empty: nil then.
func optional(c echo.Context, name string, wrong *[]service.Fault) *int {
	if text(c, name) == "" {
		return nil
	}
	n := number(c, name, wrong)
	return &n
}

// days reads a number of days from the query, within limits.
func days(c echo.Context, otherwise, most int) int {
	n, err := strconv.Atoi(c.QueryParam("days"))
	if err != nil {
		return otherwise
	}
	return min(max(n, 1), most)
}

// ago returns the time that lies days before now.
func (p *Pages) ago(days int) time.Time { return p.now().AddDate(0, 0, -days) }

// older returns the address of the next page: that of the request with another cursor, "" if there is none.
func older(c echo.Context, cursor string) string {
	if cursor == "" {
		return ""
	}
	query := url.Values{}
	for name, values := range c.QueryParams() {
		if name != "part" && name != "done" {
			query[name] = values
		}
	}
	query.Set("cursor", cursor)
	return c.Request().URL.Path + "?" + query.Encode()
}

// confirmation is the page that asks before something that can't be taken back, and says first how much it concerns.
type confirmation struct {
	Title, What, Then string
	Action, Button    string
	Count             int
	Fields            []field
	Back              string
}

// confirm asks.
func (p *Pages) confirm(c echo.Context, own confirmation) error {
	return p.show(c, "confirm.html", own.Title, own)
}
