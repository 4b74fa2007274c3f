package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones, for images that have none

	_ "golang.org/x/crypto/x509roots/fallback" // certificates of public authorities, likewise; the system's come first
)

func main() {
	os.Exit(untilSignal())
}

// untilSignal runs the command named by the arguments. The first SIGTERM or SIGINT stops it gracefully, the second kills the
// process.
func untilSignal() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop)
	return execute(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
}
