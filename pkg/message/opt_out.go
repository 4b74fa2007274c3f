package message

import (
	"fmt"
	"strconv"
)

// optOutEvery is how many texts there are from one that says how to opt out to the next.
const optOutEvery = 5

// OptOutDue reports whether the next text to a customer is to say how to opt out: the first one, and every fifth after it. Only texts count
// that the provider has accepted, so several say it if they are sent at the same time. After 35 days without a text the next one is the
// first again.
func (b *Book) OptOutDue(store, customer string) (bool, error) {
	since, known, err := b.sinceOptOut(store, customer)
	return !known || since >= optOutEvery-1, err
}

// noteOptOut counts a text that was accepted.
func (b *Book) noteOptOut(m *Message) error {
	since, known, err := b.sinceOptOut(m.Store, m.CustomerID)
	switch {
	case err != nil:
		return err
	case m.OptOut:
		since = 0
	case !known:
		return nil
	default:
		since = min(since+1, optOutEvery)
	}
	b.rows.Set(optOutKey(m.Store, m.CustomerID), append([]byte{rowVersion}, strconv.Itoa(since)...))
	return nil
}

// sinceOptOut returns how many texts a customer has got since the last one that said how to opt out; false if there was none.
func (b *Book) sinceOptOut(store, customer string) (since int, known bool, err error) {
	key := optOutKey(store, customer)
	value := b.rows.Get(key)
	switch {
	case value == nil:
		return 0, false, nil
	case len(value) == 0 || value[0] != rowVersion:
		return 0, false, fmt.Errorf("read row %s: %w", key, errVersion)
	}
	if since, err = strconv.Atoi(string(value[1:])); err != nil {
		return 0, false, fmt.Errorf("read row %s: %w", key, err)
	}
	return since, true, nil
}

func optOutKey(store, customer string) []byte { return []byte("opt-out/" + store + "/" + customer) }
