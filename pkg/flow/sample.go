package flow

// Sample returns values of realistic lengths to check texts with: a name of 22 characters, a product title of 45, links of 63 to
// 70.
func Sample() Variables {
	return Variables{
		Shop: Shop{Name: "Northern Lights Coffee", URL: "https://northernlights.example"},
		Customer: Customer{
			FirstName: "Maximiliana", LastName: "Featherstonehaugh",
			PortalURL:     "https://northernlights.example/tools/recurring/portal/6f5902ac237024bd",
			ActivationURL: "https://northernlights.example/account/activate/6f5902ac237024bd",
		},
		Subscription: Subscription{
			ID: "512304871", ProductTitle: "Organic Ethiopia Yirgacheffe Whole Bean 12 oz", VariantTitle: "Whole Bean / 12 oz",
			Quantity: 2, Price: "$24.90", Interval: "30 days", NextChargeDate: "2026-09-24",
			CancellationReason: "I have too much of it already",
		},
		Charge: Charge{
			Amount: "$1,249.90", Total: "1249.90", Currency: "USD", ScheduledAt: "2026-09-24",
			Error: "your card was declined", Attempts: 2, NextRetryDate: "2026-09-27",
			PaymentUpdateURL: "https://northernlights.example/tools/recurring/portal/6f5902ac237024bd",
		},
		Order: Order{
			Number: "1048576", ScheduledAt: "2026-09-24", ItemsSummary: "Organic Ethiopia Yirgacheffe, Oat Milk and 2 more",
		},
		Items: Items{
			Titles:  []string{"Organic Ethiopia Yirgacheffe", "Oat Milk", "House Blend", "Filter Papers"},
			Summary: "Organic Ethiopia Yirgacheffe, Oat Milk and 2 more",
		},
	}
}

// SampleOf returns the values of Sample that a trigger about a resource has.
func SampleOf(r Resource) Variables {
	all := Sample()
	v := Variables{Shop: all.Shop, Customer: all.Customer, Charge: Charge{PaymentUpdateURL: all.Charge.PaymentUpdateURL}, Items: all.Items}
	switch r {
	case AboutSubscription:
		v.Subscription = all.Subscription
		v.Items = Items{Titles: []string{v.Subscription.ProductTitle}, Summary: v.Subscription.ProductTitle}
	case AboutCharge:
		v.Charge = all.Charge
		v.Subscription = Subscription{ProductTitle: all.Subscription.ProductTitle, NextChargeDate: all.Charge.ScheduledAt}
	case AboutOrder:
		v.Order = all.Order
		v.Charge.Amount, v.Charge.Total, v.Charge.Currency = all.Charge.Amount, all.Charge.Total, all.Charge.Currency
		v.Subscription = Subscription{ProductTitle: all.Subscription.ProductTitle, NextChargeDate: all.Order.ScheduledAt}
	case AboutCustomer:
		v.Items = Items{}
	}
	return v
}
