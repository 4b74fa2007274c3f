package message

import (
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// A message that is due while its flow is paused is held: it stays planned, in an index of its flow, so that it does not stand in the way of
// others that are due.

// held reports whether the message is held.
func (m *Message) held() bool { return m.Status == Planned && m.Reason == reason.Paused }

// maxResumed is how many messages one call of Resume makes due.
const maxResumed = 200

// Resume makes the held messages of stores due whose flows are not paused any more, some at a time. more means that there are others.
func (b *Book) Resume(stores []string) (more bool, err error) {
	if !b.any(heldIndex) {
		return false, nil
	}
	resumed := 0
	for _, store := range stores {
		if !b.any(heldIndex + store + "/") {
			continue
		}
		for _, key := range append(flow.Keys(), flow.Help) {
			if b.settings.Paused(store, key) {
				continue
			}
			n, err := b.resume(store, key, maxResumed-resumed)
			if resumed += n; err != nil || resumed == maxResumed {
				return true, err
			}
		}
	}
	return false, nil
}

// any reports whether there is a row with a prefix.
func (b *Book) any(prefix string) bool {
	for range b.rows.Scan([]byte(prefix)) {
		return true
	}
	return false
}

func (b *Book) resume(store string, key flow.Key, limit int) (resumed int, err error) {
	list, _, err := b.until(b.now, heldPrefix(store, key), store, limit)
	if err != nil {
		return 0, err
	}
	for _, e := range list {
		m, err := b.at(e)
		if err != nil {
			return resumed, err
		}
		if m == nil {
			continue
		}
		before := snapshot(m)
		m.Reason = ""
		if err := b.save(&before, m); err != nil {
			return resumed, err
		}
		resumed++
	}
	return resumed, nil
}
