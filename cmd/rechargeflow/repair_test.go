package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// storeWebhook stores a webhook as the gateway does when it accepts it: webhook prefix store topic time body.
func storeWebhook(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: webhook prefix store topic time body")
	}
	store, topic, body := args[1], recharge.Topic(args[2]), []byte(args[4])
	at, err := time.Parse(time.RFC3339, args[3])
	ts.Check(err)
	found, _ := recharge.Inspect(topic, body)
	webhook := admission.Webhook{Store: store, Topic: topic, Key: store + "/" + found.CustomerID, Body: body, Scheme: recharge.SchemeTimestamped}
	producer := kafka.NewProducer(kafka.Cluster{Brokers: []string{ts.Getenv("BROKER")}}, kafka.ProducerConfig{})
	ts.Check(producer.Produce(context.Background(), webhook.Record(topology.Topics{Prefix: args[0]}.Webhooks(), http.Header{}, at)))
	ts.Check(producer.Close())
}

// listRaw prints the raw records with a prefix, by time of receipt: raw prefix.
func listRaw(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: raw prefix")
	}
	var lines []string
	for raw, err := range kafka.Scan(context.Background(), kafka.Cluster{Brokers: []string{ts.Getenv("BROKER")}}, topology.Topics{Prefix: args[0]}.Webhooks(), time.Time{}) {
		ts.Check(err)
		store, at, err := envelope.CheckRaw(raw, time.Now())
		ts.Check(err)
		lines = append(lines, fmt.Sprintf("%s %s %s %s %s %s\n", at.Format(time.RFC3339), store, raw.Header(envelope.HeaderRechargeTopic), raw.Key, raw.Header(envelope.HeaderSource), raw.Value))
	}
	slices.Sort(lines)
	_, _ = fmt.Fprint(ts.Stdout(), strings.Join(lines, ""))
}
