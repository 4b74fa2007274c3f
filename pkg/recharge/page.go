package recharge

import (
	"errors"
	"fmt"
	"time"
)

// errOtherCustomer means that a list has subscriptions of another customer: the API ignores unknown filters.
var errOtherCustomer = errors.New("list contains subscriptions of another customer")

type wirePage struct {
	Subscriptions []*wireSubscription `json:"subscriptions"`
	Next          text                `json:"next_cursor"`
}

// page decodes one page of a customer's subscriptions.
func (d *Decoder) page(raw []byte, customerID string, receivedAt time.Time) (subscriptions []Subscription, next string, err error) {
	list, _, err := decodeJSON(d.pages, raw, listOrLookup)
	if err != nil {
		return nil, "", fmt.Errorf("decode list of subscriptions: %w", err)
	}
	if list.Subscriptions == nil {
		return nil, "", fmt.Errorf("decode list of subscriptions: %w", ErrNoResource)
	}
	subscriptions, err = d.subscriptions(list.Subscriptions, customerID, receivedAt)
	return subscriptions, string(list.Next), err
}

// subscriptions converts the subscriptions of one customer. The API version is detected for each of them.
func (d *Decoder) subscriptions(wire []*wireSubscription, customerID string, receivedAt time.Time) ([]Subscription, error) {
	all := make([]Subscription, 0, len(wire))
	for _, w := range wire {
		p := d.timeParser(receivedAt)
		s := w.subscription(p)
		switch {
		case s == nil:
			return nil, fmt.Errorf("decode list of subscriptions: %w", ErrNoResource)
		case p.err != nil:
			return nil, fmt.Errorf("decode list of subscriptions: %w", p.err)
		case s.CustomerID != "" && s.CustomerID != customerID:
			return nil, fmt.Errorf("decode list of subscriptions: %w", errOtherCustomer)
		}
		all = append(all, *s)
	}
	return all, nil
}
