package recharge

import (
	"strings"
	"time"
)

// Subscription is one product that a customer receives regularly.
type Subscription struct {
	ID, CustomerID, AddressID string
	// Email is that beside the id, which 2021-01 has, or that of the customer object.
	Email                      string
	Status                     string // active, cancelled, expired, StatusOneTime
	ProductID, VariantID, SKU  string // ids of the shop platform
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
	// MaxRetriesReached means that the last attempt of a charge failed.
	MaxRetriesReached bool `json:",omitempty"`
	// Erased means that the e-mail is the placeholder of a customer whose personal data was erased.
	Erased bool `json:",omitempty"`
}

// StatusOneTime is the status of a product that is bought once. Version 2021-01 sends it in the form of a subscription
// (https://github.com/jchai002/skylar-recharge, hooks_rc/subscription_created.php).
const StatusOneTime = "onetime"

// subscriptionStatus returns a status in lower case.
func subscriptionStatus(status text) string {
	s := strings.ToLower(string(status))
	if s == "one_time" || s == "one-time" || s == "one time" {
		return StatusOneTime
	}
	return s
}

type wireSubscription struct {
	ID             id           `json:"id"`
	CustomerID     id           `json:"customer_id"`
	Customer       wireCustomer `json:"customer"`
	AddressID      id           `json:"address_id"`
	Email          text         `json:"email"`
	Status         text         `json:"status"`
	ProductID      platformID   `json:"external_product_id"`
	VariantID      platformID   `json:"external_variant_id"`
	ShopifyProduct platformID   `json:"shopify_product_id"`
	ShopifyVariant platformID   `json:"shopify_variant_id"`
	SKU            text         `json:"sku"`
	ProductTitle   text         `json:"product_title"`
	VariantTitle   text         `json:"variant_title"`
	Price          decimal      `json:"price"`
	Currency       text         `json:"presentment_currency"`
	Quantity       count        `json:"quantity"`
	IntervalUnit   text         `json:"order_interval_unit"`
	OrderInterval  count        `json:"order_interval_frequency"`
	ChargeInterval count        `json:"charge_interval_frequency"`
	NextCharge     text         `json:"next_charge_scheduled_at"`
	IsPrepaid      boolean      `json:"is_prepaid"`
	CreatedAt      text         `json:"created_at"`
	UpdatedAt      text         `json:"updated_at"`
	CancelledAt    text         `json:"cancelled_at"`
	Reason         text         `json:"cancellation_reason"`
	Comments       text         `json:"cancellation_reason_comments"`
	MaxRetries     boolean      `json:"max_retries_reached"`
	Erased         boolean      `json:"erased"` // in a Lookup
	Include        include      `json:"include"`
}

func (w *wireSubscription) subscription(p *timeParser) *Subscription {
	if w == nil || w.ID == "" {
		return nil
	}
	p.version = versionMarks{status: w.Status, shopify: []platformID{w.ShopifyProduct, w.ShopifyVariant}}.version(p.version)
	email, erased := emailOf(w.Email, w.Customer.Email.value)
	return &Subscription{
		ID: string(w.ID), CustomerID: first(w.CustomerID, w.Customer.ID), AddressID: string(w.AddressID),
		Email: email, Erased: erased || bool(w.Erased),
		Status:    subscriptionStatus(w.Status),
		ProductID: first(w.ProductID, w.ShopifyProduct), VariantID: first(w.VariantID, w.ShopifyVariant),
		SKU: string(w.SKU), ProductTitle: string(w.ProductTitle), VariantTitle: string(w.VariantTitle),
		Price: string(w.Price), Currency: string(w.Currency), Quantity: w.Quantity.n,
		IntervalUnit: strings.ToLower(string(w.IntervalUnit)), OrderInterval: w.OrderInterval.n, ChargeInterval: w.ChargeInterval.n,
		NextChargeDate: p.date("subscription.next_charge_scheduled_at", w.NextCharge),
		IsPrepaid:      bool(w.IsPrepaid),
		CreatedAt:      p.timestamp("subscription.created_at", w.CreatedAt),
		UpdatedAt:      p.timestamp("subscription.updated_at", w.UpdatedAt),
		CancelledAt:    p.timestamp("subscription.cancelled_at", w.CancelledAt),

		CancellationReason: string(w.Reason), CancellationReasonComments: string(w.Comments), MaxRetriesReached: bool(w.MaxRetries),
	}
}

// first returns the first value that is not empty.
func first[T ~string](values ...T) string {
	for _, v := range values {
		if v != "" {
			return string(v)
		}
	}
	return ""
}
