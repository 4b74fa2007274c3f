package recharge

import "slices"

// OtherResource returns the resource that a body has instead of that of its topic, "" if the body may belong to the topic. It names
// one only if the body is an object that lacks the topic's resource and has another one that is known. body must be valid JSON.
//
// "The callback for the subscription/created webhook will be identical to the payload of a GET request to the
// subscriptions/<subscription_id> endpoint" (https://docs.getrecharge.com/docs/webhooks-overview), so a body has its object under the
// name of the resource. Bodies of some topics are neither documented nor recorded: any body may belong to them.
func OtherResource(topic Topic, body []byte) string {
	if !hasKnownBody(topic) {
		return ""
	}
	other := ""
	eachMember(body, func(key, _ []byte) bool {
		if keyIs(key, topic.Resource()) {
			other = ""
			return false
		}
		for _, resource := range rootResources() {
			if keyIs(key, resource) {
				other = resource
			}
		}
		return true
	})
	return other
}

// hasKnownBody reports whether the bodies of a topic have an object under the name of the topic's resource.
func hasKnownBody(topic Topic) bool {
	switch topic {
	case "customer/payment_method_updated", "order/upcoming",
		"subscription/skipped", "subscription/unskipped", "subscription/removed_from_skipped_charge",
		"subscription/swapped", "subscription/paused":
		return false // neither documented nor recorded
	}
	return topic.Known() && slices.Contains([]string{"subscription", "charge", "order", "customer"}, topic.Resource())
}

// rootResources are the names under which bodies have their object. An included customer or address is beside the object.
func rootResources() []string {
	return []string{"subscription", "charge", "order", "customer", "address", "onetime", "checkout", "async_batch"}
}
