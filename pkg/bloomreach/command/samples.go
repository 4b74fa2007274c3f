package command

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// Samples returns an event of each kind in which every attribute has a value, for docs/tracking.md and for trying a project.
func Samples(at time.Time) []subscriber.Event {
	return []subscriber.Event{subscriptionSample(at), chargeSample(at), orderSample(at), changeSample(at), propertySample(at), profileSample(at)}
}

func sample(kind subscriber.EventType, status string, at time.Time) subscriber.Event {
	return subscriber.Event{
		ID: "sample", Type: kind, Status: status, Store: "acme", OccurredAt: at, RechargeCustomerID: "246936001", Email: "jo.bean@example.com",
		PortalLink: portalOf(kind),
	}
}

func subscriptionSample(at time.Time) subscriber.Event {
	e := sample(subscriber.EventSubscription, subscriber.StatusCanceled, at)
	e.Subscription = &subscriber.Subscription{
		ID: "784594001", AddressID: "178918", SourceStatus: "cancelled", ProductID: "6642695864491", VariantID: "39684723835051", SKU: "HB-1",
		ProductTitle: "House Blend", VariantTitle: "1 kg", Price: "18.50", Currency: "USD", Quantity: 2,
		IntervalUnit: "month", OrderInterval: 1, ChargeInterval: 1, NextChargeDate: "2026-12-28", IsPrepaid: false,
		CreatedAt: at.AddDate(0, -6, 0), UpdatedAt: at, CanceledAt: at, Cancellation: subscriber.Voluntary,
		CancellationReason: "This is too expensive", CancellationReasonComments: "Back in spring",
	}
	e.Previous = &subscriber.Previous{
		Price: "17.50", Quantity: 1, IntervalUnit: "week", OrderInterval: 6, ChargeInterval: 6, NextChargeDate: "2026-12-21", AddressID: "178917",
		ProductID: "6642695864490", VariantID: "39684723835050", SKU: "HB-0", ProductTitle: "Dark Roast", VariantTitle: "500 g",
	}
	return e
}

func chargeSample(at time.Time) subscriber.Event {
	e := sample(subscriber.EventCharge, subscriber.StatusPaid, at)
	e.Charge = &subscriber.Charge{
		ID: "580825303", AddressID: "178918", SourceStatus: "success", Type: "recurring", PlatformOrderID: "5006149877931", OrderNumber: "1016", NthOrder: 7,
		Currency: "USD", TotalPrice: "39.90", SubtotalPrice: "37.00", TotalDiscounts: "2.00", TotalTax: "0.00", ShippingPrice: "4.90", TotalRefunds: "0.00",
		Discounts:     []subscriber.Discount{{Code: "SPRING", Value: "2.00", Type: "fixed_amount"}},
		ScheduledDate: "2026-12-28", ProcessedAt: at, RetryDate: "2026-12-30", RetryAt: recharge.Date("2026-12-30").Start(), Attempts: 2,
		ErrorType: "CARD_DECLINED", ErrorKind: subscriber.CustomerFixable, CreatedAt: at.AddDate(0, -1, 0), UpdatedAt: at, Items: itemsSample(),
	}
	e.Previous = &subscriber.Previous{ScheduledDate: "2026-12-21", TotalRefunds: "5.00"}
	return e
}

func orderSample(at time.Time) subscriber.Event {
	e := sample(subscriber.EventCharge, subscriber.StatusOrderProcessed, at)
	e.Order = &subscriber.Order{
		ID: "534919106", ChargeID: "580825303", AddressID: "178918", PlatformOrderID: "5006149877931", Number: "1016", Type: "recurring", IsPrepaid: true,
		Currency: "USD", TotalPrice: "39.90", ScheduledDate: "2026-12-28", ProcessedAt: at, CreatedAt: at, UpdatedAt: at, Items: itemsSample(),
	}
	return e
}

func itemsSample() []subscriber.Item {
	return []subscriber.Item{{
		Kind: recharge.KindSubscription, SubscriptionID: "784594001", ProductID: "6642695864491", VariantID: "39684723835051", SKU: "HB-1",
		Title: "House Blend", VariantTitle: "1 kg", Price: "18.50", Quantity: 2, TotalPrice: "37.00", Discount: "2.00", Tax: "0.00",
	}}
}

func changeSample(at time.Time) subscriber.Event {
	e := sample(subscriber.EventCustomerChange, "", at)
	active, total := 1, 2
	e.Customer = &subscriber.Customer{
		Changed: []string{"email"}, OldEmail: "jo@example.com", PlatformID: "5213433266347", Email: "jo.bean@example.com", FirstName: "Jo", LastName: "Bean",
		Phone: "+15035550100", ActiveSubscriptions: &active, TotalSubscriptions: &total, CreatedAt: at.AddDate(0, -6, 0),
	}
	return e
}

func propertySample(at time.Time) subscriber.Event {
	e := sample(subscriber.EventProperty, "", at)
	e.Property = &subscriber.Property{Name: subscriber.PropertyActive, Value: true}
	return e
}

func profileSample(at time.Time) subscriber.Event {
	e := sample(subscriber.EventProfile, "", at)
	active := 1
	e.Profile = &subscriber.Profile{
		Email: "jo.bean@example.com", FirstName: "Jo", LastName: "Bean", Phone: "+15035550100", RechargeID: "246936001", NextChargeDate: "2026-12-28",
		SubscriptionsActive: &active,
	}
	return e
}

// portalOf returns a link to the portal, which events about subscriptions and charges have.
func portalOf(kind subscriber.EventType) string {
	if kind == subscriber.EventSubscription || kind == subscriber.EventCharge {
		return "https://acme.example/tools/recurring/portal/6f5902ac237024bd"
	}
	return ""
}
