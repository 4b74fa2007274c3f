// Command discard measures the upper limit of ingest with verification: the gateway's HTTP server, with a handler that reads
// and discards the body. Its argument is the address to listen on; it runs until it is killed.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: discard host:port")
		os.Exit(2)
	}
	e := echo.New()
	e.POST("/webhooks/:store/:resource/:action", discard)
	server := &http.Server{Addr: os.Args[1], Handler: e, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func discard(c echo.Context) error {
	if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}
