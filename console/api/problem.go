package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// problem is an error as RFC 9457 describes it.
type problem struct {
	Type   string          `json:"type"`
	Title  string          `json:"title"`
	Status int             `json:"status"`
	Detail string          `json:"detail,omitempty"`
	Errors []service.Fault `json:"errors,omitempty"`
}

// requestError is an error of a request before it reaches the service.
type requestError struct {
	status int
	detail string
}

func (e *requestError) Error() string { return e.detail }

func refuse(status int, format string, args ...any) error {
	return &requestError{status, fmt.Sprintf(format, args...)}
}

func forbidden(role access.Role) error {
	return refuse(http.StatusForbidden, "this needs the role %s", role)
}

// Fail answers a request that has failed.
func (a *API) Fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := problemOf(err, c.Request().Header.Get(headerIfMatch) != "")
	var limited *service.LimitedError
	switch header := c.Response().Header(); {
	case header.Get("Retry-After") != "":
	case errors.As(err, &limited):
		header.Set("Retry-After", strconv.Itoa(max(1, int(limited.RetryAfter.Seconds()))))
	case p.Status == http.StatusServiceUnavailable:
		header.Set("Retry-After", "5")
	}
	c.Response().Header().Del(echo.HeaderContentType) // that of an answer which was not given
	body, err := json.Marshal(p)
	if err == nil {
		err = c.Blob(p.Status, "application/problem+json", body)
	}
	if err != nil {
		a.log.Debug("write API answer failed", zap.Error(err))
	}
}

// problemOf describes an error. ifMatch means that the request named its version by If-Match.
func problemOf(err error, ifMatch bool) problem {
	status := statusOf(err)
	if status == http.StatusConflict && ifMatch && errors.Is(err, service.ErrConflict) {
		status = http.StatusPreconditionFailed
	}
	p := problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: err.Error()}
	var invalid *service.InvalidError
	var refusal *access.Refusal
	var echoed *echo.HTTPError
	switch {
	case errors.As(err, &invalid):
		p.Errors = invalid.Faults
	case errors.As(err, &refusal): // by Guard, in words for who reads it
	case errors.As(err, &echoed):
		p.Detail = "there is no such address"
		if status != http.StatusNotFound {
			p.Detail = ""
		}
	case status == http.StatusInternalServerError:
		p.Detail = "" // the log has it
	}
	return p
}

// statusOf returns the status of an error.
func statusOf(err error) int {
	var request *requestError
	var echoed *echo.HTTPError
	switch {
	case errors.As(err, &request):
		return request.status
	case errors.As(err, &echoed):
		return echoed.Code
	}
	for _, each := range []struct {
		err    error
		status int
	}{
		{service.ErrNotFound, http.StatusNotFound},
		{service.ErrInvalid, http.StatusUnprocessableEntity},
		{service.ErrConflict, http.StatusConflict},
		{service.ErrForbidden, http.StatusForbidden},
		{service.ErrLimited, http.StatusTooManyRequests},
		{service.ErrUnavailable, http.StatusServiceUnavailable},
	} {
		if errors.Is(err, each.err) {
			return each.status
		}
	}
	return http.StatusInternalServerError
}
