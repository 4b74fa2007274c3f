package subscriber

import "github.com/rechargeflow/rechargeflow/pkg/recharge"

// reason is what a topic is used for, or why it isn't, and what we assume about it.
type reason struct{ because, assumption string }

// why says it of a topic; of those that are not in the table their resource says enough.
func why(topic recharge.Topic) reason {
	if r, ok := reasons()[topic]; ok {
		return r
	}
	switch topic.Resource() {
	case "address", "async_batch", "bundle_selection", "checkout", "gift_purchase", "onetime", "plan", "product", "store", "recharge", "app":
		return reason{because: "not about a subscription, a charge or a customer's data"}
	case "charge":
		return reason{because: "no tracked status of a charge, no flow"}
	case "order":
		return reason{because: "no flow; orders are not tracked"}
	}
	return reason{}
}

func reasons() map[recharge.Topic]reason {
	return map[recharge.Topic]reason{
		"subscription/created":                     {because: "a subscription begins"},
		"subscription/activated":                   {because: "a cancelled subscription is active again", assumption: "after a pause that was made by moving the date nothing of this kind comes"},
		"subscription/cancelled":                   {because: "the customer or the shop ends a subscription", assumption: "an expired subscription comes by this topic or by subscription/updated, with status expired"},
		"subscription/deleted":                     {because: "a subscription is gone; its time is that of its first receipt, since the body has none of its own"},
		"subscription/updated":                     {because: "the newest snapshot of a subscription; it tells a fact only when it says expired", assumption: "status expired comes by this topic"},
		"subscription/paused":                      {because: "a pause concerns texts", assumption: "it is sent when a customer pauses in the portal, with API version 2021-11"},
		"subscription/skipped":                     {because: "an order is skipped, or not after all"},
		"subscription/unskipped":                   {because: "an order is skipped, or not after all"},
		"subscription/swapped":                     {because: "another product in the same subscription: no tracked status, no flow; subscription/updated shows it"},
		"subscription/removed_from_skipped_charge": {because: "not documented; no tracked status, no flow", assumption: "it tells nothing that the others don't"},
		"charge/created":                           {because: "a charge is queued, or was paid at the checkout already"},
		"charge/paid":                              {because: "a charge is paid; the same fact as a charge/created that was successful"},
		"charge/upcoming":                          {because: "an order is a few days ahead"},
		"charge/failed":                            {because: "an attempt failed: a text, where the customer can mend it", assumption: "which errors are the customer's to mend is our reading of Recharge's list"},
		"charge/max_retries_reached":               {because: "the last attempt failed; Recharge may cancel the subscriptions without another word, so they are looked up after 1 min, 10 min and 1 h", assumption: "a cancellation by the store's setting happens within an hour"},
		"order/upcoming":                           {because: "a prepaid order is a few days ahead", assumption: "it comes for prepaid orders only"},
		"order/processed":                          {because: "a renewal's order is on its way", assumption: "it does not come for the first checkout"},
		"customer/created":                         {because: "a customer object with its count"},
		"customer/updated":                         {because: "e-mail, name, phone or Shopify id may have changed"},
		"customer/activated":                       {because: "a first subscription is active; a first activation ever is the account's", assumption: "that this is the customer's account activation"},
		"customer/deactivated":                     {because: "no active subscription is left"},
		"customer/deleted":                         {because: "what is known of the customer is forgotten, but for a marker without personal data"},
		"customer/payment_method_updated":          {because: "no flow; its body is the customer in one version and the payment method in the other"},
	}
}
