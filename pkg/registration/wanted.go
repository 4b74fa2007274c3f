package registration

import (
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Store is what the registrations of a store depend on.
type Store struct {
	Name string
	// URL is that at which Recharge reaches the gateway, without /webhooks and without a slash at its end.
	URL string
	// Secrets are the API client secrets, newest first. The first makes the tokens of addresses, the others are those of earlier tokens.
	Secrets []string
	// Uses reports whether a topic produces output.
	Uses func(recharge.Topic) bool
}

// Wanted returns the registrations that a store needs, one per topic that produces output.
func Wanted(s Store) []recharge.Registration {
	var all []recharge.Registration
	for _, topic := range recharge.Topics() {
		if topic == topic.Current() && s.Uses(topic) {
			all = append(all, recharge.Registration{Topic: topic, Address: s.URL + admission.Path(s.Name, topic, s.Secrets[0]), Included: Included(topic)})
		}
	}
	return all
}

// Included returns the objects to add to the bodies of a topic. The customer saves a lookup. Which topics may have it is from a
// transcription of the reference; bodies of customers are the customer.
func Included(topic recharge.Topic) []string {
	switch topic.Resource() {
	case "charge", "order", "subscription":
		return []string{"customer"}
	}
	return nil
}

// Scopes returns the scopes that a store's token needs, sorted: to register its topics, and to look up customers and subscriptions.
func Scopes(s Store) []string {
	scopes := []string{"read_customers", "read_subscriptions"}
	for _, wanted := range Wanted(s) {
		if scope := wanted.Topic.Scope(); scope != "" && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	slices.Sort(scopes)
	return scopes
}

// Missing returns the scopes that a token lacks. The scope to write a resource is taken as one to read it: at Recharge a token has read, or
// read and write access.
func Missing(needed, has []string) []string {
	return slices.DeleteFunc(slices.Clone(needed), func(scope string) bool {
		return slices.Contains(has, scope) || slices.Contains(has, strings.Replace(scope, "read_", "write_", 1))
	})
}
