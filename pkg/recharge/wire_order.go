package recharge

import (
	"strings"
	"time"
)

// Order is what a charge becomes at the shop.
type Order struct {
	ID, AddressID, ChargeID string
	CustomerID, Email       string
	CustomerHash            string
	PlatformCustomerID      string
	Status                  string // success, error, queued, cancelled; others may come
	Type                    string // checkout, recurring
	Number                  string // as the shop counts, without "#"
	IsPrepaid               bool
	Currency, TotalPrice    string // decimal digits
	ScheduledDate           Date
	ProcessedAt             time.Time
	CreatedAt, UpdatedAt    time.Time
	LineItems               []LineItem
	Contact                 Contact
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
	Status          text           `json:"status"`
	Type            text           `json:"type"`
	IsPrepaid       flag           `json:"is_prepaid"`
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

// wireReference is another resource of which only the id matters.
type wireReference struct {
	ID id `json:"id"`
}

func (w *wireOrder) order(c *clock) *Order {
	if w == nil || w.ID == "" {
		return nil
	}
	c.version = marks{status: w.Status, shopify: []platformID{w.ShopifyCustomer, w.ShopifyNumber}}.version(c.version)
	return &Order{
		ID: string(w.ID), AddressID: string(w.AddressID), ChargeID: first(w.ChargeID, w.Charge.ID),
		CustomerID: first(w.CustomerID, w.Customer.ID), Email: first(w.Email, w.Customer.Email),
		CustomerHash:       first(w.Hash, w.Customer.Hash),
		PlatformCustomerID: first(w.ShopifyCustomer, w.Customer.PlatformID),
		Status:             strings.ToLower(string(w.Status)), Type: strings.ToLower(string(w.Type)),
		Number:    first(w.OrderNumber, w.ShopifyNumber),
		IsPrepaid: bool(w.IsPrepaid),
		Currency:  string(w.Currency), TotalPrice: string(w.TotalPrice),
		ScheduledDate: c.date("order.scheduled_at", w.ScheduledAt),
		ProcessedAt:   c.at("order.processed_at", w.ProcessedAt),
		CreatedAt:     c.at("order.created_at", w.CreatedAt),
		UpdatedAt:     c.at("order.updated_at", w.UpdatedAt),
		LineItems:     lineItems(w.LineItems),
		Contact:       contact(w.FirstName, w.LastName, w.Shipping, w.Billing),
	}
}
