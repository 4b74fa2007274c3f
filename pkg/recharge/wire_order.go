package recharge

import (
	"strings"
	"time"
)

// Order is the shop order created by a charge.
type Order struct {
	ID, AddressID, ChargeID string
	CustomerID, Email       string
	CustomerHash            string
	PlatformCustomerID      string
	Status                  string // success, error, queued, cancelled; others may come
	Type                    string // checkout, recurring
	PlatformOrderID         string // id at the shop platform
	Number                  string // the shop's order number, without "#"
	IsPrepaid               bool
	Currency, TotalPrice    string // decimal digits
	ScheduledDate           Date
	ProcessedAt             time.Time
	CreatedAt, UpdatedAt    time.Time
	LineItems               []LineItem
	Contact                 Contact
	// Erased means that the e-mail is the placeholder of a customer whose personal data was erased.
	Erased bool `json:",omitempty"`
}

type wireOrder struct {
	ID              id             `json:"id"`
	AddressID       id             `json:"address_id"`
	ChargeID        id             `json:"charge_id"`
	Charge          wireReference  `json:"charge"`
	CustomerID      id             `json:"customer_id"`
	Email           text           `json:"email"`
	FirstName       text           `json:"first_name"`
	LastName        text           `json:"last_name"`
	Hash            text           `json:"hash"`
	Customer        wireCustomer   `json:"customer"`
	ShopifyCustomer platformID     `json:"shopify_customer_id"`
	ShopifyNumber   platformID     `json:"shopify_order_number"`
	OrderNumber     platformID     `json:"external_order_number"`
	ShopifyOrder    platformID     `json:"shopify_order_id"`
	PlatformOrder   platformID     `json:"external_order_id"`
	Status          text           `json:"status"`
	Type            text           `json:"type"`
	IsPrepaid       boolean        `json:"is_prepaid"`
	Currency        text           `json:"currency"`
	TotalPrice      decimal        `json:"total_price"`
	ScheduledAt     text           `json:"scheduled_at"`
	ProcessedAt     text           `json:"processed_at"`
	CreatedAt       text           `json:"created_at"`
	UpdatedAt       text           `json:"updated_at"`
	LineItems       []wireLineItem `json:"line_items"`
	Billing         wireAddress    `json:"billing_address"`
	Shipping        wireAddress    `json:"shipping_address"`
	Include         include        `json:"include"`
}

// wireReference is the id of another resource.
type wireReference struct {
	ID id `json:"id"`
}

func (w *wireOrder) order(p *timeParser) *Order {
	if w == nil || w.ID == "" {
		return nil
	}
	p.version = versionMarks{status: w.Status, shopify: []platformID{w.ShopifyCustomer, w.ShopifyNumber}}.version(p.version)
	email, erased := emailOf(w.Email, w.Customer.Email.value)
	return &Order{
		ID: string(w.ID), AddressID: string(w.AddressID), ChargeID: first(w.ChargeID, w.Charge.ID),
		CustomerID: first(w.CustomerID, w.Customer.ID), Email: email, Erased: erased,
		CustomerHash:       first(w.Hash, w.Customer.Hash),
		PlatformCustomerID: first(w.ShopifyCustomer, w.Customer.PlatformID),
		Status:             strings.ToLower(string(w.Status)), Type: strings.ToLower(string(w.Type)),
		PlatformOrderID: first(w.PlatformOrder, w.ShopifyOrder),
		Number:          first(w.OrderNumber, w.ShopifyNumber),
		IsPrepaid:       bool(w.IsPrepaid),
		Currency:        string(w.Currency), TotalPrice: string(w.TotalPrice),
		ScheduledDate: p.date("order.scheduled_at", w.ScheduledAt),
		ProcessedAt:   p.timestamp("order.processed_at", w.ProcessedAt),
		CreatedAt:     p.timestamp("order.created_at", w.CreatedAt),
		UpdatedAt:     p.timestamp("order.updated_at", w.UpdatedAt),
		LineItems:     lineItems(w.LineItems),
		Contact:       contact(w.FirstName, w.LastName, w.Customer, w.Billing, w.Shipping),
	}
}
