package recharge

import (
	"cmp"
	"strings"
	"time"
)

// Charge is a payment, past or scheduled.
type Charge struct {
	ID, AddressID             string
	CustomerID, Email         string
	CustomerHash              string
	PlatformCustomerID        string
	Status                    string // success, error, queued, skipped, refunded, partially_refunded; others may come
	Type                      string // checkout, recurring
	Currency                  string
	TotalPrice, SubtotalPrice string // decimal digits
	TotalDiscounts, TotalTax  string // decimal digits
	TotalRefunds              string // decimal digits, of all refunds so far
	ShippingPrice             string // decimal digits, of all shipping lines
	Discounts                 []Discount
	Processor                 string // of the payment, such as shopify_payments
	ScheduledDate             Date
	ProcessedAt               time.Time
	RetryAt                   time.Time // the next attempt
	RetryDate                 Date      // the day of RetryAt
	CreatedAt, UpdatedAt      time.Time
	Attempts                  int
	ErrorType                 string // Recharge's error code, upper case; "" for none
	PlatformOrderID           string // id at the shop platform
	LineItems                 []LineItem
	Contact                   Contact
	// AttemptedAt is the time of the last attempt. Only charges that failed have it.
	AttemptedAt time.Time `json:",omitzero"`
	// Erased means that the e-mail is the placeholder of a customer whose personal data was erased.
	Erased bool `json:",omitempty"`
}

// Discount is a discount of a charge. Value is an amount or a percentage, according to Type.
type Discount struct {
	Code, Value, Type string // decimal digits; fixed_amount, percentage, shipping; others may come
}

// LineItem is one product of a charge or an order.
type LineItem struct {
	SubscriptionID             string // "" for a one-time product
	Kind                       string // KindSubscription, KindOneTime
	ProductID, VariantID, SKU  string // ids of the shop platform
	Title, VariantTitle, Price string // price of one unit, decimal digits
	Quantity                   int
	Total, Tax, Discount       string // decimal digits, of all units
}

// The kinds of a line item.
const (
	KindSubscription = "subscription"
	KindOneTime      = "onetime"
)

// Contact is what a charge or an order says about its customer. The shipping address may be that of somebody else, to whom the
// customer gives the products.
type Contact struct {
	// FirstName, LastName and Phone are the customer's own. Only bodies of 2021-01 have them.
	FirstName, LastName, Phone string
	Billing, Shipping          Address
}

// Address is a billing or a shipping address. Name and phone are as typed.
type Address struct {
	FirstName, LastName, Phone string
	// Country is a name in 2021-01 and an ISO 3166 code in 2021-11.
	Country, Province, Zip string
}

type wireCharge struct {
	ID              id             `json:"id"`
	AddressID       id             `json:"address_id"`
	CustomerID      id             `json:"customer_id"`
	Email           text           `json:"email"`
	FirstName       text           `json:"first_name"`
	LastName        text           `json:"last_name"`
	Hash            text           `json:"customer_hash"`
	Customer        wireCustomer   `json:"customer"`
	ShopifyCustomer platformID     `json:"shopify_customer_id"`
	ShopifyOrder    platformID     `json:"shopify_order_id"`
	OrderID         platformID     `json:"external_order_id"`
	Status          text           `json:"status"`
	Type            text           `json:"type"`
	Currency        text           `json:"currency"`
	TotalPrice      decimal        `json:"total_price"`
	SubtotalPrice   decimal        `json:"subtotal_price"`
	TotalDiscounts  decimal        `json:"total_discounts"`
	TotalTax        decimal        `json:"total_tax"`
	TotalRefunds    decimal        `json:"total_refunds"`
	ShippingLines   []wirePrice    `json:"shipping_lines"`
	Discounts       []wireDiscount `json:"discounts"`
	DiscountCodes   []wireDiscount `json:"discount_codes"` // in 2021-01
	Processor       text           `json:"payment_processor"`
	ProcessorName   text           `json:"processor_name"` // in 2021-01
	ScheduledAt     text           `json:"scheduled_at"`
	ProcessedAt     text           `json:"processed_at"`
	RetryDate       text           `json:"retry_date"`
	CreatedAt       text           `json:"created_at"`
	UpdatedAt       text           `json:"updated_at"`
	Attempts        count          `json:"charge_attempts"`
	Tried           count          `json:"number_times_tried"`
	LastAttempt     text           `json:"last_charge_attempt"`
	LastAttemptDate text           `json:"last_charge_attempt_date"` // in 2021-01
	ErrorType       text           `json:"error_type"`
	LineItems       []wireLineItem `json:"line_items"`
	Billing         wireAddress    `json:"billing_address"`
	Shipping        wireAddress    `json:"shipping_address"`
	Include         include        `json:"include"`
}

func (w *wireCharge) charge(p *timeParser) *Charge {
	if w == nil || w.ID == "" {
		return nil
	}
	p.version = versionMarks{status: w.Status, shopify: []platformID{w.ShopifyCustomer, w.ShopifyOrder}}.version(p.version)
	email, erased := emailOf(w.Email, w.Customer.Email.value)
	retryAt := p.retryDate("charge.retry_date", w.RetryDate)
	return &Charge{
		ID: string(w.ID), AddressID: string(w.AddressID),
		CustomerID: first(w.CustomerID, w.Customer.ID), Email: email, Erased: erased,
		CustomerHash:       first(w.Hash, w.Customer.Hash),
		PlatformCustomerID: first(w.ShopifyCustomer, w.Customer.PlatformID),
		Status:             strings.ToLower(string(w.Status)), Type: strings.ToLower(string(w.Type)),
		Currency:   string(w.Currency),
		TotalPrice: string(w.TotalPrice), SubtotalPrice: string(w.SubtotalPrice),
		TotalDiscounts: string(w.TotalDiscounts), TotalTax: string(w.TotalTax), TotalRefunds: string(w.TotalRefunds),
		ShippingPrice: sumOf(w.ShippingLines), Discounts: discounts(w.Discounts, w.DiscountCodes), Processor: first(w.Processor, w.ProcessorName),
		ScheduledDate: p.date("charge.scheduled_at", w.ScheduledAt),
		ProcessedAt:   p.timestamp("charge.processed_at", w.ProcessedAt),
		RetryAt:       retryAt, RetryDate: DayOf(retryAt),
		CreatedAt:       p.timestamp("charge.created_at", w.CreatedAt),
		UpdatedAt:       p.timestamp("charge.updated_at", w.UpdatedAt),
		AttemptedAt:     p.timestamp("charge.last_charge_attempt", cmp.Or(w.LastAttempt, w.LastAttemptDate)),
		Attempts:        max(w.Attempts.n, w.Tried.n), // one counter under two names
		ErrorType:       strings.ToUpper(string(w.ErrorType)),
		PlatformOrderID: first(w.OrderID, w.ShopifyOrder),
		LineItems:       lineItems(w.LineItems),
		Contact:         contact(w.FirstName, w.LastName, w.Customer, w.Billing, w.Shipping),
	}
}

// wirePrice is the price of a shipping line.
type wirePrice struct {
	Price decimal `json:"price"`
}

// wireDiscount is a discount, with its value as 2021-11 spells it or its amount as 2021-01 does.
type wireDiscount struct {
	Code      text    `json:"code"`
	Value     decimal `json:"value"`
	ValueType text    `json:"value_type"`
	Amount    decimal `json:"amount"`
	Type      text    `json:"type"`
}

func discounts(lists ...[]wireDiscount) (all []Discount) {
	for _, list := range lists {
		for _, w := range list {
			d := Discount{Code: string(w.Code), Value: first(w.Value, w.Amount), Type: strings.ToLower(first(w.ValueType, w.Type))}
			if d != (Discount{}) {
				all = append(all, d)
			}
		}
	}
	return all
}

type wireLineItem struct {
	PurchaseItemID   id         `json:"purchase_item_id"`
	PurchaseItemType text       `json:"purchase_item_type"`
	Type             text       `json:"type"`
	SubscriptionID   id         `json:"subscription_id"`
	ProductID        platformID `json:"external_product_id"`
	VariantID        platformID `json:"external_variant_id"`
	ShopifyProduct   platformID `json:"shopify_product_id"`
	ShopifyVariant   platformID `json:"shopify_variant_id"`
	SKU              text       `json:"sku"`
	Title            text       `json:"title"`
	VariantTitle     text       `json:"variant_title"`
	UnitPrice        decimal    `json:"unit_price"`
	Price            decimal    `json:"price"`
	OriginalPrice    decimal    `json:"original_price"`
	TotalPrice       decimal    `json:"total_price"`
	TaxDue           decimal    `json:"tax_due"`
	Quantity         count      `json:"quantity"`
}

func lineItems(wire []wireLineItem) []LineItem {
	items := make([]LineItem, 0, len(wire))
	for _, w := range wire {
		item := LineItem{
			SubscriptionID: string(w.SubscriptionID),
			ProductID:      first(w.ProductID, w.ShopifyProduct), VariantID: first(w.VariantID, w.ShopifyVariant),
			SKU: string(w.SKU), Title: string(w.Title), VariantTitle: string(w.VariantTitle),
			Price: first(w.UnitPrice, w.Price), Quantity: w.Quantity.n, Kind: KindSubscription, Total: string(w.TotalPrice), Tax: string(w.TaxDue),
		}
		item.Discount = discountOf(w.OriginalPrice, decimal(item.Price), item.Quantity)
		switch {
		case strings.EqualFold(string(w.PurchaseItemType), StatusOneTime) || strings.EqualFold(string(w.Type), StatusOneTime):
			item.SubscriptionID, item.Kind = "", KindOneTime
		case item.SubscriptionID == "":
			item.SubscriptionID = string(w.PurchaseItemID)
		}
		items = append(items, item)
	}
	return items
}

type wireAddress struct {
	FirstName   text `json:"first_name"`
	LastName    text `json:"last_name"`
	Phone       text `json:"phone"`
	Country     text `json:"country"`
	CountryCode text `json:"country_code"`
	Province    text `json:"province"`
	Zip         text `json:"zip"`
}

func (w wireAddress) address() Address {
	return Address{
		FirstName: string(w.FirstName), LastName: string(w.LastName), Phone: string(w.Phone),
		Country: first(w.CountryCode, w.Country), Province: string(w.Province), Zip: string(w.Zip),
	}
}

// contact reads the names beside the id, and else those of the customer object, which is part of an order in 2021-01.
func contact(firstName, lastName text, customer wireCustomer, billing, shipping wireAddress) Contact {
	if firstName+lastName == "" {
		firstName, lastName = customer.FirstName.value, customer.LastName.value
	}
	return Contact{
		FirstName: string(firstName), LastName: string(lastName), Phone: string(customer.Phone.value),
		Billing: billing.address(), Shipping: shipping.address(),
	}
}
