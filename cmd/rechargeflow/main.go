// Command rechargeflow brings Recharge's webhooks to Bloomreach and into text messages.
//
//	main.go      signals, the only exit
//	commands.go  the commands and how one is found
//	options.go   flags, and which configuration file is read
//	run.go       rechargeflow run: the roles, and how they end
//	start.go     admin port, broker, gateway
//	stores.go    the stages of the configured stores
//	probe.go     whether the gateway could store a webhook now
//	config.go    rechargeflow config check, config print
//	flows.go     the flows of a store
//	topics.go    rechargeflow topics plan, topics apply
//	deadletter.go  rechargeflow deadletter list, deadletter show; deadletter_replay.go: deadletter replay
//	letters.go   which dead letters are meant, and how one is printed
//	lag.go       rechargeflow lag; lag_watch.go: the same for the metrics of a running process
//	brokers.go   how to reach the configured brokers; asking.go: which ones a command asks, and what it says when that fails
//	ready.go     rechargeflow ready
//	version.go   rechargeflow version
//	step.go      nothing; step_faultpoints.go, with the tag faultpoints: where a test ends or freezes the process
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones, for images that have none

	_ "golang.org/x/crypto/x509roots/fallback" // certificates of public authorities, likewise; the system's win
)

func main() {
	os.Exit(untilSignal())
}

// untilSignal runs the command that the arguments name. The first SIGTERM or SIGINT asks it to stop, the
// second one kills the process.
func untilSignal() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
}
