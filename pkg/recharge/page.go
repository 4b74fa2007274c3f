package recharge

import (
	"encoding/json"
	"errors"
	"fmt"
)

// errOthers says that a list holds what is another customer's: the API ignores a
// filter that it doesn't know.
var errOthers = errors.New("the list holds subscriptions of another customer")

// page reads one page of a customer's subscriptions.
func (d *Decoder) page(raw []byte, customerID string) (subscriptions []Subscription, next string, err error) {
	var list struct {
		Subscriptions []*wireSubscription `json:"subscriptions"`
		Next          text                `json:"next_cursor"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, "", fmt.Errorf("decode list of subscriptions: %w", clean(err))
	}
	if list.Subscriptions == nil {
		return nil, "", fmt.Errorf("decode list of subscriptions: %w", ErrNoResource)
	}
	subscriptions, err = d.subscriptions(list.Subscriptions, customerID)
	return subscriptions, string(list.Next), err
}

// subscriptions are those of one customer. Each is read by itself: what marks one
// as 2021-01 says nothing of the next.
func (d *Decoder) subscriptions(wire []*wireSubscription, customerID string) ([]Subscription, error) {
	all := make([]Subscription, 0, len(wire))
	for _, w := range wire {
		c := &clock{zones: d.zones, version: Version202111}
		s := w.subscription(c)
		switch {
		case s == nil:
			return nil, fmt.Errorf("decode list of subscriptions: %w", ErrNoResource)
		case c.err != nil:
			return nil, fmt.Errorf("decode list of subscriptions: %w", c.err)
		case s.CustomerID != "" && s.CustomerID != customerID:
			return nil, fmt.Errorf("decode list of subscriptions: %w", errOthers)
		}
		all = append(all, *s)
	}
	return all, nil
}
