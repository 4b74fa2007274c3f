package recharge

import (
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/nearest"
)

// Topics returns all webhook topics of both API versions: the 2021-11 reference's "Available webhooks", and those of
// 2021-01.
func Topics() []Topic {
	return []Topic{
		"address/created", "address/updated",
		"app/uninstalled",
		"async_batch/processed",
		"bundle_selection/created", "bundle_selection/updated", "bundle_selection/deleted",
		"charge/created", "charge/paid", "charge/success", "charge/failed", "charge/max_retries_reached",
		"charge/upcoming", "charge/updated", "charge/uncaptured", "charge/refunded", "charge/deleted",
		"checkout/created", "checkout/updated", "checkout/processed", "checkout/completed",
		"customer/created", "customer/activated", "customer/deactivated", "customer/updated",
		"customer/payment_method_updated", "customer/deleted",
		"gift_purchase/created", "gift_purchase/redeemed",
		"onetime/created", "onetime/updated", "onetime/deleted",
		"order/created", "order/processed", "order/success", "order/upcoming", "order/updated", "order/deleted",
		"order/cancelled", "order/payment_captured",
		"plan/created", "plan/updated", "plan/deleted",
		"product/created", "product/updated", "product/deleted",
		"recharge/uninstalled",
		"store/updated",
		"subscription/created", "subscription/activated", "subscription/cancelled", "subscription/updated",
		"subscription/deleted", "subscription/skipped", "subscription/unskipped",
		"subscription/removed_from_skipped_charge", "subscription/swapped", "subscription/paused",
	}
}

// Known reports whether Recharge has this topic.
func (t Topic) Known() bool { return slices.Contains(Topics(), t) }

// maxTypos is the number of characters by which a mistyped topic may differ from the one that was meant. At four,
// subscription/resumed, which Recharge does not have, would be taken for subscription/paused.
const maxTypos = 3

// Nearest returns the topic that a mistyped one resembles most, "" if it resembles none.
func (t Topic) Nearest() Topic { return nearest.Of(t, Topics(), maxTypos) }

// Current returns the name under which a topic is decided on: charge/success is an older name of charge/paid, and shops
// still register it (https://github.com/hookdeck/webhook-skills, Recharge).
func (t Topic) Current() Topic {
	if t == "charge/success" {
		return "charge/paid"
	}
	return t
}

// Scope returns the scope that a token needs to register a topic, "" if that is not known: "registering for <object>/<event> requires
// the matching read_<object-plural> scope", by a transcription of the reference. Charges have the scope of orders, addresses that of
// customers, and what a subscription consists of has that of subscriptions (https://github.com/ChemicalLuck/recharge-api-python,
// WebhookTopicMap).
func (t Topic) Scope() string {
	switch t.Resource() {
	case "address", "customer":
		return "read_customers"
	case "charge", "order":
		return "read_orders"
	case "subscription", "onetime", "bundle_selection":
		return "read_subscriptions"
	case "plan":
		return "read_products"
	case "checkout":
		return "read_checkouts"
	case "async_batch":
		return "read_batches"
	case "store", "recharge":
		return "store_info"
	}
	return ""
}
