package flow

import (
	"maps"
	"slices"
)

// Resource is what a trigger is about. It decides which values its text can have.
type Resource string

// The resources.
const (
	AboutSubscription Resource = "subscription"
	AboutCharge       Resource = "charge"
	AboutOrder        Resource = "order"
	AboutCustomer     Resource = "customer"
)

// Resources returns what the triggers of a flow can be about.
func (k Key) Resources() []Resource {
	switch RuleOf(k).FiredBy {
	case Upcoming:
		return []Resource{AboutCharge, AboutOrder}
	case Processed:
		return []Resource{AboutOrder}
	case RetryScheduled, FailedForGood, Paid:
		return []Resource{AboutCharge}
	case AccountActivated:
		return []Resource{AboutCustomer}
	default:
		return []Resource{AboutSubscription}
	}
}

// Names returns the names that the flow's text can use, in alphabetical order: those that a trigger about one of its resources has.
func (k Key) Names() []string {
	known := map[string]bool{}
	for _, r := range k.Resources() {
		for _, name := range SampleOf(r).Known() {
			known[name] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}

// Known returns the names whose values are known, in alphabetical order.
func (v Variables) Known() []string {
	bound := v.bindings()
	return slices.DeleteFunc(Names(), func(name string) bool { return lookup(bound, name) == nil })
}
