package bloomreach_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
)

func ExampleClient_Batch() {
	server := bloomreachtest.New()
	defer server.Close()
	client, err := bloomreach.New(bloomreach.Config{
		BaseURL:      server.BaseURL(),
		ProjectToken: bloomreachtest.ProjectToken,
		Auth:         bloomreach.PrivateKey(bloomreachtest.KeyID, bloomreachtest.KeySecret),
		HTTPClient:   server.Client(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	at := bloomreach.UnixSeconds(time.Date(2026, 3, 1, 10, 0, 0, 250_000_000, time.UTC))
	var properties, customer bloomreach.Properties
	properties.Text("status", "canceled")
	properties.Text("subscription_id", "42")
	customer.Flag("recharge_subscription_active", false)
	canceled, err := bloomreach.NewEvent("event-1", bloomreach.Event{
		CustomerIDs: map[string]string{"registered": "ann@example.com"},
		Type:        "subscription",
		Timestamp:   at,
		Properties:  properties,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	inactive, err := bloomreach.NewCustomerUpdate("property-1", bloomreach.CustomerUpdate{
		CustomerIDs:     map[string]string{"registered": "ann@example.com"},
		Properties:      customer,
		UpdateTimestamp: at,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := client.Batch(context.Background(), []bloomreach.Command{canceled, inactive})
	for _, result := range results {
		fmt.Println(result.ID, result.Outcome, result.Errors)
	}
	fmt.Println("error:", err)
	fmt.Println("stored at", server.Events()[0].Timestamp)
	// Output:
	// event-1 accepted []
	// property-1 accepted []
	// error: <nil>
	// stored at 1772359200.25
}
