package texts

import "github.com/rechargeflow/rechargeflow/pkg/flow"

// Stores are the configured stores by name, nil for one that sends no texts.
type Stores map[string]*Store

// Flow returns a flow of a store as it is set now, an inactive one if the store sends no texts.
func (s Stores) Flow(store string, key flow.Key) flow.Flow {
	if s[store] == nil {
		return flow.Flow{Key: key}
	}
	return s[store].FlowNow(key)
}

// Paused reports whether the texts of a flow are held.
func (s Stores) Paused(store string, key flow.Key) bool {
	return s[store] != nil && s[store].Sending().Holds(key)
}

// Deduplicates reports whether the destination of a store drops a second text with the same id.
func (s Stores) Deduplicates(store string) bool {
	return s[store] != nil && s[store].Destination.Deduplicates
}
