package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
)

const (
	// heartbeat keeps a stream open in proxies, and finds readers that are gone.
	heartbeat = 15 * time.Second
	// writeWithin is how long a reader may take for what is sent to it: a slower one is dropped.
	writeWithin = 5 * time.Second
	// reconnect is after which time a reader whose stream has ended begins again.
	reconnect = 3 * time.Second
)

// live sends what happens as Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html): the data of an event is a
// service.Live. It ends when the reader is too slow, its session ends, or the console stops.
func (a *API) live(c echo.Context) (answer, error) {
	ctx := c.Request().Context()
	rows, err := a.service.Live(ctx, c.Param("store"))
	if err != nil {
		return answer{}, err
	}
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx
	s := stream{c: c, control: http.NewResponseController(c.Response())}
	c.Response().WriteHeader(http.StatusOK)
	beats := time.NewTicker(a.heartbeat)
	defer beats.Stop()
	for alive := s.write(fmt.Sprintf("retry: %d\n\n", reconnect.Milliseconds())); alive; {
		select {
		case <-ctx.Done():
			alive = false
		case row, open := <-rows:
			alive = open && s.send(row)
		case <-beats.C:
			alive = access.InForce(ctx) && s.write(": alive\n\n")
		}
	}
	return answer{}, nil
}

// stream is an answer that goes on.
type stream struct {
	c       echo.Context
	control *http.ResponseController
}

// send sends a row.
func (s stream) send(row service.Live) bool {
	data, err := json.Marshal(row) // has no line breaks
	return err == nil && s.write(fmt.Sprintf("event: %s\ndata: %s\n\n", row.Kind, data))
}

// write sends text, and reports whether the reader took it in time.
func (s stream) write(text string) bool {
	_ = s.control.SetWriteDeadline(time.Now().Add(writeWithin)) // a writer without deadlines is one of a test
	if _, err := s.c.Response().Write([]byte(text)); err != nil {
		return false
	}
	return s.control.Flush() == nil
}
