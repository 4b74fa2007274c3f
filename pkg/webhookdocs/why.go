package webhookdocs

import "github.com/rechargeflow/rechargeflow/pkg/recharge"

// explanation is the use of a topic, or why it is not used, and what is assumed about it.
type explanation struct{ because, assumption string }

// why returns the explanation of a topic. For a topic that is not in the table it depends on the resource.
func why(topic recharge.Topic) explanation {
	if r, ok := reasons()[topic]; ok {
		return r
	}
	switch topic.Resource() {
	case "address", "async_batch", "bundle_selection", "checkout", "gift_purchase", "onetime", "plan", "product", "store", "recharge", "app":
		return explanation{because: "not about a subscription, a charge or a customer's data"}
	case "charge":
		return explanation{because: "no tracked status of a charge, no flow"}
	case "order":
		return explanation{because: "no flow; orders are not tracked"}
	}
	return explanation{}
}

func reasons() map[recharge.Topic]explanation {
	return map[recharge.Topic]explanation{
		"subscription/created":                     {because: "a subscription begins. A one-time product, status `ONETIME` in 2021-01, is skipped with every topic"},
		"subscription/activated":                   {because: "a canceled subscription is active again", assumption: "Recharge does not send it after a pause that only moved the charge date"},
		"subscription/cancelled":                   {because: "the customer or the shop ends a subscription", assumption: "Recharge reports an expired subscription with this topic or with subscription/updated, with status expired"},
		"subscription/deleted":                     {because: "a subscription is deleted. The body has no time, so the event has the time of the first receipt"},
		"subscription/updated":                     {because: "a subscription changed. It updates the state; status expired triggers a text and, with `sms.pause_by_date`, a next charge that moves by more than an interval and a week; with `sms.resume_by_date` one that moves back after a pause", assumption: "Recharge reports expired subscriptions with this topic"},
		"subscription/paused":                      {because: "a subscription is paused", assumption: "Recharge sends it when a customer pauses in the portal, with API version 2021-11"},
		"subscription/skipped":                     {because: "an order is skipped"},
		"subscription/unskipped":                   {because: "a skip is undone"},
		"subscription/swapped":                     {because: "the subscription has another product. A subscription/updated that shows it within a minute is the same swap", assumption: "both are sent within seconds"},
		"subscription/removed_from_skipped_charge": {because: "not documented by Recharge: no tracked status, no flow", assumption: "other topics report the same change"},
		"charge/created":                           {because: "a charge is queued, or already paid at checkout"},
		"charge/paid":                              {because: "a charge is paid. A charge/created that was already paid is the same fact"},
		"charge/success":                           {because: "the older name of `charge/paid`: the same fact"},
		"charge/upcoming":                          {because: "an order is due in a few days"},
		"charge/failed":                            {because: "an attempt failed: a text if the customer can fix the error", assumption: "which of Recharge's error types a customer can fix is our own classification"},
		"charge/max_retries_reached":               {because: "the last attempt failed. Recharge may cancel the subscriptions without another webhook, so they are looked up after 1 min, 10 min and 1 h", assumption: "Recharge cancels within an hour"},
		"charge/updated":                           {because: "a charge changed. Several come with each action"},
		"charge/uncaptured":                        {because: "a charge is authorized and not captured yet"},
		"charge/refunded":                          {because: "a charge is refunded, in whole or in part. The fact has the sum of all refunds"},
		"charge/deleted":                           {because: "a charge that was not paid is deleted. The body has nothing but its id, so the customer is found by an owner record", assumption: "a paid charge is never deleted"},
		"order/upcoming":                           {because: "a prepaid order is due in a few days", assumption: "Recharge sends it for prepaid orders only"},
		"order/processed":                          {because: "the order of a renewal is processed", assumption: "Recharge does not send it for the first checkout"},
		"order/created":                            {because: "the number of the order, for later rows of its charge. With `sms.first_orders`, the order of a first checkout is processed", assumption: "the type of such an order is checkout"},
		"customer/created":                         {because: "a customer is created. The body has the number of active subscriptions. With `sms.new_accounts` it triggers a text"},
		"customer/updated":                         {because: "e-mail, name, phone or Shopify ID may have changed, or the personal data was erased, which other resources may show first", assumption: "an erased customer has placeholders or nulls. In a customer object an e-mail without @ is a placeholder"},
		"customer/activated":                       {because: "the customer's first subscription is active. Only the first activation triggers a text", assumption: "the first one is the account activation"},
		"customer/deactivated":                     {because: "the customer has no active subscription left"},
		"customer/deleted":                         {because: "the customer's state is deleted, except a marker without personal data"},
		"customer/payment_method_updated":          {because: "no tracked status, no flow"},
	}
}
