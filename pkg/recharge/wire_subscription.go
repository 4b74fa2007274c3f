package recharge

import (
	"strings"
	"time"
)

// Subscription is one product that a customer gets again and again.
type Subscription struct {
	ID, CustomerID, AddressID string
	// Email is set in 2021-01 only; a 2021-11 subscription carries none.
	Email                      string
	Status                     string // active, cancelled, expired
	ProductID, VariantID, SKU  string // ids of the shop's platform
	ProductTitle, VariantTitle string
	Price, Currency            string // price of one unit, decimal digits
	Quantity                   int
	IntervalUnit               string // day, week, month
	OrderInterval              int    // in IntervalUnit
	ChargeInterval             int    // in IntervalUnit
	NextChargeDate             Date
	IsPrepaid                  bool
	CreatedAt, UpdatedAt       time.Time
	CancelledAt                time.Time
	CancellationReason         string
	CancellationReasonComments string
}

type wireSubscription struct {
	ID             id            `json:"id"`
	CustomerID     id            `json:"customer_id"`
	Customer       wireReference `json:"customer"`
	AddressID      id            `json:"address_id"`
	Email          text          `json:"email"`
	Status         text          `json:"status"`
	ProductID      platformID    `json:"external_product_id"`
	VariantID      platformID    `json:"external_variant_id"`
	ShopifyProduct platformID    `json:"shopify_product_id"`
	ShopifyVariant platformID    `json:"shopify_variant_id"`
	SKU            text          `json:"sku"`
	ProductTitle   text          `json:"product_title"`
	VariantTitle   text          `json:"variant_title"`
	Price          decimal       `json:"price"`
	Currency       text          `json:"presentment_currency"`
	Quantity       count         `json:"quantity"`
	IntervalUnit   text          `json:"order_interval_unit"`
	OrderInterval  count         `json:"order_interval_frequency"`
	ChargeInterval count         `json:"charge_interval_frequency"`
	NextCharge     text          `json:"next_charge_scheduled_at"`
	IsPrepaid      flag          `json:"is_prepaid"`
	CreatedAt      text          `json:"created_at"`
	UpdatedAt      text          `json:"updated_at"`
	CancelledAt    text          `json:"cancelled_at"`
	Reason         text          `json:"cancellation_reason"`
	Comments       text          `json:"cancellation_reason_comments"`
	Include        include       `json:"include"`
}

func (w *wireSubscription) subscription(c *clock) *Subscription {
	if w == nil || w.ID == "" {
		return nil
	}
	c.version = marks{status: w.Status, shopify: []platformID{w.ShopifyProduct, w.ShopifyVariant}}.version(c.version)
	return &Subscription{
		ID: string(w.ID), CustomerID: first(w.CustomerID, w.Customer.ID), AddressID: string(w.AddressID),
		Email:     string(w.Email),
		Status:    strings.ToLower(string(w.Status)),
		ProductID: first(w.ProductID, w.ShopifyProduct), VariantID: first(w.VariantID, w.ShopifyVariant),
		SKU: string(w.SKU), ProductTitle: string(w.ProductTitle), VariantTitle: string(w.VariantTitle),
		Price: string(w.Price), Currency: string(w.Currency), Quantity: w.Quantity.n,
		IntervalUnit: strings.ToLower(string(w.IntervalUnit)), OrderInterval: w.OrderInterval.n, ChargeInterval: w.ChargeInterval.n,
		NextChargeDate: c.date("subscription.next_charge_scheduled_at", w.NextCharge),
		IsPrepaid:      bool(w.IsPrepaid),
		CreatedAt:      c.at("subscription.created_at", w.CreatedAt),
		UpdatedAt:      c.at("subscription.updated_at", w.UpdatedAt),
		CancelledAt:    c.at("subscription.cancelled_at", w.CancelledAt),

		CancellationReason: string(w.Reason), CancellationReasonComments: string(w.Comments),
	}
}

// first is the first value that is not empty.
func first[T ~string](values ...T) string {
	for _, v := range values {
		if v != "" {
			return string(v)
		}
	}
	return ""
}
