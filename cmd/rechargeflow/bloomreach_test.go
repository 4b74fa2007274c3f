package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

// trackingSimulator is the key of a script's simulator of Bloomreach.
type trackingSimulator struct{}

// startBloomreach starts a simulator for a script. It refuses sample-13@example.com. Its address is $BLOOMREACH, without scheme $BLOOMREACH_HOST, its credentials are $BLOOMREACH_PROJECT, $BLOOMREACH_KEY_ID and
// $BLOOMREACH_SECRET.
func startBloomreach(env *testscript.Env) *bloomreachtest.Server {
	server := bloomreachtest.New()
	server.RejectWhen(func(c bloomreachtest.Command) []string {
		if refused := "sample-13@example.com"; strings.Contains(string(c.Data), refused) {
			return []string{"no such customer " + refused}
		}
		return nil
	})
	env.Setenv("BLOOMREACH", server.BaseURL())
	env.Setenv("BLOOMREACH_HOST", strings.TrimPrefix(server.BaseURL(), "http://"))
	env.Setenv("BLOOMREACH_PROJECT", bloomreachtest.ProjectToken)
	env.Setenv("BLOOMREACH_KEY_ID", bloomreachtest.KeyID)
	env.Setenv("BLOOMREACH_SECRET", bloomreachtest.KeySecret)
	env.Defer(server.Close)
	return server
}

// simulateBloomreach changes the script's simulator, or looks at it:
//
//	bloomreach forbid [type...]           the key may not track events of these types
//	bloomreach answer times status [body] how the next requests are answered
//	bloomreach events                     prints how many events and customer properties were accepted
//	bloomreach property id name           prints a property of a customer, none if it was never set
//	bloomreach await id name              waits until it is set
func simulateBloomreach(ts *testscript.TestScript, neg bool, args []string) {
	server, _ := ts.Value(trackingSimulator{}).(*bloomreachtest.Server)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: bloomreach forbid|answer|events|property|await [argument...]")
	}
	switch args[0] {
	case "forbid":
		server.ForbidEvents(args[1:]...)
	case "answer":
		times, err := strconv.Atoi(args[1])
		ts.Check(err)
		status, err := strconv.Atoi(args[2])
		ts.Check(err)
		server.FailNext(times, bloomreachtest.Failure{Status: status, Body: args[3]})
	case "events":
		_, _ = fmt.Fprintf(ts.Stdout(), "events: %d\n", len(server.Events()))
	case "property":
		value := any("none")
		if profile, _ := server.Customer("registered", args[1]); profile[args[2]] != nil {
			value = profile[args[2]]
		}
		_, _ = fmt.Fprintln(ts.Stdout(), value)
	case "await":
		await(ts, func() bool {
			profile, _ := server.Customer("registered", args[1])
			return profile[args[2]] != nil
		})
	default:
		ts.Fatalf("unknown command bloomreach %s", args[0])
	}
}

// await waits until something is done.
func await(ts *testscript.TestScript, done func() bool) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			ts.Fatalf("not done in time")
		}
	}
}
