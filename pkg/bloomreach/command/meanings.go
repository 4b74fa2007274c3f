package command

import "slices"

// meaning says what an attribute means, and which fields of Recharge it is from.
type meaning struct{ name, meaning, source string }

// meanings lists all attributes in the order of docs/tracking.md. An attribute that several events have is there once.
func meanings() []meaning {
	return slices.Concat(meaningsOfEvents(), meaningsOfCustomers(), meaningsOfPrevious())
}

func meaningsOfEvents() []meaning {
	return []meaning{
		{"status", "what happened", "topic"},
		{"recharge_customer_id", "Recharge's ID of the customer", "`customer_id`"},
		{"integration_id", "the store's name in the configuration", ""},
		{"integration_type", "always `recharge`", ""},
		{"portal_url", "link to the customer portal, without a password. Only with `bloomreach.portal_url`, and where Recharge has shown the customer's `hash`", "`hash` of the customer"},
		{"subscription_id", "Recharge's ID of the subscription", "`id`"},
		{"charge_id", "Recharge's ID of the charge", "`id`, of an order `charge.id`"},
		{"order_id", "Recharge's ID of the order, only if the event is about an order", "`id`"},
		{"platform_order_id", "the shop's ID of the order", "`external_order_id`"},
		{"order_number", "the shop's number of the order. A charge has it once the webhook of its order has come", "`external_order_number` of the order"},
		{"nth_order", "the customer's first, second, third paid charge. Only for customers who came after the store was connected", "counted"},
		{"is_first_order", "TRUE for the customer's first paid charge, FALSE for later ones and for renewals. Absent for a checkout of a customer whose charges were not all counted", "`type`, counted"},
		{"address_id", "Recharge's ID of the address", "`address_id`"},
		{"charge_type", "`checkout` or `recurring`", "`type`"},
		{"source_status", "Recharge's own status", "`status`"},
		{"product_id", "the shop's ID of the product", "`external_product_id`"},
		{"variant_id", "the shop's ID of the variant", "`external_variant_id`"},
		{"sku", "stock keeping unit", "`sku`"},
		{"title", "name of the product, without HTML", "`product_title`"},
		{"variant_title", "name of the variant, without HTML", "`variant_title`"},
		{"price", "price of one piece", "`price`"},
		{"quantity", "number of pieces", "`quantity`"},
		{"total_price", "of a subscription, price times quantity; of a charge or an order, the total amount", "`total_price`"},
		{"subtotal_price", "amount before shipping and tax", "`subtotal_price`"},
		{"total_discounts", "total discount", "`total_discounts`"},
		{"total_tax", "total tax", "`total_tax`"},
		{"shipping_price", "price of shipping", "sum of `shipping_lines.price`"},
		{"total_refunds", "sum of all refunds", "`total_refunds`"},
		{"discount_codes", "codes of the discounts", "`discounts.code`"},
		{"local_currency", "currency of the amounts, ISO 4217. Where the webhook has none, the store's `currency`", "`presentment_currency`, `currency`"},
		{"order_interval_unit", "`day`, `week` or `month`", "`order_interval_unit`"},
		{"order_interval_frequency", "units between two deliveries", "`order_interval_frequency`"},
		{"charge_interval_frequency", "units between two charges", "`charge_interval_frequency`"},
		{"next_charge_scheduled_at", "next charge, the beginning of its day", "`next_charge_scheduled_at`"},
		{"next_charge_date", "day of the next charge", "`next_charge_scheduled_at`"},
		{"scheduled_at", "when it is due, the beginning of the day", "`scheduled_at`"},
		{"scheduled_date", "day on which it is due", "`scheduled_at`"},
		{"processed_at", "when it was paid", "`processed_at`"},
		{"attempts", "attempts so far", "`charge_attempts`"},
		{"error_type", "why it failed, Recharge's code. After the last attempt it is the last known reason", "`error_type`"},
		{"error_kind", "`customer_fixable`, `not_customer_fixable` or `unknown`", "`error_type`"},
		{"retry_at", "when Recharge tries again", "`retry_date`"},
		{"retry_date", "day on which Recharge tries again", "`retry_date`"},
		{"created_at", "when it was created", "`created_at`"},
		{"updated_at", "when it last changed", "`updated_at`"},
		{"canceled_at", "when it was canceled", "`cancelled_at`"},
		{"cancellation", "`voluntary`: the customer or the shop canceled. `involuntary`: Recharge did, because a charge could not be paid", "`max_retries_reached`, `cancellation_reason`"},
		{"cancellation_reason", "what the customer chose", "`cancellation_reason`"},
		{"cancellation_reason_comments", "what the customer wrote", "`cancellation_reason_comments`"},
		{"is_prepaid", "several deliveries are paid at once", "`is_prepaid`"},
		{"total_quantity", "number of pieces of all products", "sum of `line_items.quantity`"},
		{"product_ids", "IDs of all products, for filters", "`line_items.external_product_id`"},
		{"variant_ids", "IDs of all variants, for filters", "`line_items.external_variant_id`"},
		{"subscription_ids", "IDs of all subscriptions, for filters", "`line_items.purchase_item_id`"},
		{"product_list", "the products", "`line_items`"},
	}
}

func meaningsOfCustomers() []meaning {
	return []meaning{
		{"changed_fields", "what changed: `email`, `first_name`, `last_name`, `phone`, `platform_id` (the shop's ID). Absent if the values before are unknown", "compared"},
		{"email", "e-mail", "`email`"},
		{"old_email", "the e-mail before, if it changed", "compared"},
		{"first_name", "first name", "`first_name`"},
		{"last_name", "last name", "`last_name`"},
		{"phone", "phone number, as typed", "`phone`"},
		{"external_customer_id", "the shop's ID of the customer", "`external_customer_id`"},
		{"subscriptions_active_count", "number of active subscriptions", "`subscriptions_active_count`"},
		{"subscriptions_total_count", "number of all subscriptions", "`subscriptions_total_count`"},
		{"recharge_subscription_active", "TRUE while any of the customer's subscriptions is active, else FALSE", "compared"},
		{"recharge_id", "Recharge's ID of the customer", "`id`"},
		{"recharge_next_charge_at", "the first day on which an active subscription is charged. It stays as it is when none is active any more", "`next_charge_scheduled_at`"},
		{"recharge_subscriptions_active", "number of active subscriptions", "counted, `subscriptions_active_count`"},
	}
}

// meaningsOfPrevious are of the values before a change.
func meaningsOfPrevious() []meaning {
	return []meaning{
		{"previous_price", "price before", "compared"},
		{"previous_quantity", "quantity before", "compared"},
		{"previous_order_interval_unit", "unit before", "compared"},
		{"previous_order_interval_frequency", "interval before", "compared"},
		{"previous_charge_interval_frequency", "interval before", "compared"},
		{"previous_next_charge_date", "day of the next charge before", "compared"},
		{"previous_address_id", "address before", "compared"},
		{"previous_product_id", "product before", "compared"},
		{"previous_variant_id", "variant before", "compared"},
		{"previous_sku", "stock keeping unit before", "compared"},
		{"previous_title", "name of the product before", "compared"},
		{"previous_variant_title", "name of the variant before", "compared"},
		{"previous_scheduled_date", "day on which it was due before", "compared"},
		{"previous_total_refunds", "sum of all refunds before", "compared"},
	}
}

const recipes = `
## Recipes

| you want to | event that starts the scenario | condition | setting |
|---|---|---|---|
| tell customers of an upcoming charge | ` + "`subscription_charge`" + ` | ` + "`status` equals `upcoming`" + ` | ` + "`extras: [upcoming]`" + ` |
| win back a failed payment | ` + "`subscription_charge`" + ` | ` + "`status` equals `failed` and `error_kind` equals `customer_fixable`" + ` | ` + "`extras: [failed]`" + ` |
| confirm a skipped order | ` + "`subscription`" + ` | ` + "`status` equals `skipped`" + ` | ` + "`extras: [skipped]`" + ` |
| report on subscriptions and revenue | ` + "`subscription`, `subscription_charge`" + ` | ` + "`status` equals `created`, `canceled` or `paid`, by `cancellation`, `product_ids`, `total_price`" + ` | none |
`
