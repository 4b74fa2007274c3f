package recharge

// WithCurrency returns a webhook whose resource has a currency, ISO 4217, where its body has none. Not every subscription has one.
func (w Webhook) WithCurrency(currency string) Webhook {
	switch {
	case currency == "":
	case w.Subscription != nil && w.Subscription.Currency == "":
		s := *w.Subscription
		s.Currency, w.Subscription = currency, &s
	case w.Charge != nil && w.Charge.Currency == "":
		c := *w.Charge
		c.Currency, w.Charge = currency, &c
	case w.Order != nil && w.Order.Currency == "":
		o := *w.Order
		o.Currency, w.Order = currency, &o
	}
	return w
}

// WithCurrency does the same for the subscriptions of a lookup.
func (l Lookup) WithCurrency(currency string) Lookup {
	if currency == "" || l.Subscriptions == nil {
		return l
	}
	filled := make([]Subscription, len(l.Subscriptions))
	for i, s := range l.Subscriptions {
		s.Currency = first(s.Currency, currency)
		filled[i] = s
	}
	l.Subscriptions = filled
	return l
}
