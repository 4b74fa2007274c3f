package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

// simulator is the key of a script's simulator of Recharge.
type simulator struct{}

// startRecharge starts a simulator for a script. Its address is $RECHARGE, its token is api-token.
func startRecharge(env *testscript.Env) *rechargetest.Server {
	server := rechargetest.NewServer("api-token")
	env.Setenv("RECHARGE", server.URL)
	env.Defer(server.Close)
	return server
}

// simulateRecharge changes the script's simulator, or looks at it:
//
//	recharge scopes [scope...]                the scopes of the token
//	recharge register topic address [object]  a webhook that somebody registered, with an included object
//	recharge answer times status [body]       how the next calls are answered
//	recharge put file...                      the resources of JSON files, each as a webhook's body; one to a line
//	recharge remove resource id               removes a resource, such as customers 7
//	recharge clock offset                     moves the clock, by -10m for example
//	recharge webhooks                         prints how many there are, then topic, address, version and objects of each webhook, oldest first
func simulateRecharge(ts *testscript.TestScript, neg bool, args []string) {
	server, _ := ts.Value(simulator{}).(*rechargetest.Server)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: recharge scopes|register|answer|put|remove|clock|webhooks [argument...]")
	}
	switch args[0] {
	case "scopes":
		server.SetScopes(args[1:]...)
	case "register":
		client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: server.URL, Token: "api-token"})
		ts.Check(err)
		_, _, err = client.CreateWebhook(context.Background(), recharge.Registration{Topic: recharge.Topic(args[1]), Address: args[2], Included: args[3:]})
		ts.Check(err)
	case "answer":
		times, err := strconv.Atoi(args[1])
		ts.Check(err)
		status, err := strconv.Atoi(args[2])
		ts.Check(err)
		server.FailNext(times, status, strings.Join(args[3:], " "))
	case "put":
		for _, file := range args[1:] {
			for line := range strings.Lines(ts.ReadFile(file)) {
				ts.Check(server.Put([]byte(line)))
			}
		}
	case "remove":
		server.Remove(args[1], args[2])
	case "clock":
		offset, err := time.ParseDuration(args[1])
		ts.Check(err)
		server.SetClock(func() time.Time { return time.Now().Add(offset) })
	case "webhooks":
		webhooks := server.Webhooks()
		_, _ = fmt.Fprintf(ts.Stdout(), "webhooks: %d\n", len(webhooks))
		for _, w := range webhooks {
			_, _ = fmt.Fprintf(ts.Stdout(), "%s\t%s\t%s\t%s\n", w.Topic, w.Address, w.Version, strings.Join(w.Included, ","))
		}
	default:
		ts.Fatalf("unknown command recharge %s", args[0])
	}
}
