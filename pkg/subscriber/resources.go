package subscriber

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Subscription holds the fields of a subscription in events, facts, tables and triggers.
type Subscription struct {
	ID             string        `json:"id"`
	AddressID      string        `json:"address_id,omitempty"`
	SourceStatus   string        `json:"source_status,omitempty"` // as Recharge spells it
	ProductID      string        `json:"product_id,omitempty"`
	VariantID      string        `json:"variant_id,omitempty"`
	SKU            string        `json:"sku,omitempty"`
	ProductTitle   string        `json:"product_title,omitempty"`
	VariantTitle   string        `json:"variant_title,omitempty"`
	Price          string        `json:"price,omitempty"`
	Currency       string        `json:"currency,omitempty"`
	Quantity       int           `json:"quantity,omitempty"`
	IntervalUnit   string        `json:"interval_unit,omitempty"`
	OrderInterval  int           `json:"order_interval,omitempty"`
	ChargeInterval int           `json:"charge_interval,omitempty"`
	NextChargeDate recharge.Date `json:"next_charge_date,omitempty"`
	IsPrepaid      bool          `json:"is_prepaid"`
	CreatedAt      time.Time     `json:"created_at,omitzero"`
	UpdatedAt      time.Time     `json:"updated_at,omitzero"`
	CanceledAt     time.Time     `json:"canceled_at,omitzero"`
	// Cancellation is voluntary or involuntary, "" unless canceled.
	Cancellation               Cancellation `json:"cancellation,omitempty"`
	CancellationReason         string       `json:"cancellation_reason,omitempty"`
	CancellationReasonComments string       `json:"cancellation_reason_comments,omitempty"`
}

func (s *Subscription) append(w *jsonappend.Writer) {
	if s != nil {
		w.BeginMember("subscription")
		s.appendMembers(w)
		w.End()
	}
}

func (s *Subscription) appendMembers(w *jsonappend.Writer) {
	w.String("id", s.ID)
	w.OptString("address_id", s.AddressID)
	w.OptString("source_status", s.SourceStatus)
	w.OptString("product_id", s.ProductID)
	w.OptString("variant_id", s.VariantID)
	w.OptString("sku", s.SKU)
	w.OptString("product_title", s.ProductTitle)
	w.OptString("variant_title", s.VariantTitle)
	w.OptString("price", s.Price)
	w.OptString("currency", s.Currency)
	w.OptInt("quantity", s.Quantity)
	w.OptString("interval_unit", s.IntervalUnit)
	w.OptInt("order_interval", s.OrderInterval)
	w.OptInt("charge_interval", s.ChargeInterval)
	w.OptString("next_charge_date", string(s.NextChargeDate))
	w.Bool("is_prepaid", s.IsPrepaid)
	w.OptTime("created_at", s.CreatedAt)
	w.OptTime("updated_at", s.UpdatedAt)
	w.OptTime("canceled_at", s.CanceledAt)
	w.OptString("cancellation", string(s.Cancellation))
	w.OptString("cancellation_reason", s.CancellationReason)
	w.OptString("cancellation_reason_comments", s.CancellationReasonComments)
}

// Charge holds the fields of a charge in events, facts, tables and triggers.
type Charge struct {
	ID              string `json:"id"`
	AddressID       string `json:"address_id,omitempty"`
	SourceStatus    string `json:"source_status,omitempty"`
	Type            string `json:"type,omitempty"`
	PlatformOrderID string `json:"platform_order_id,omitempty"`
	// OrderNumber is that of the shop's order, "" before the order's own webhook has come.
	OrderNumber string `json:"order_number,omitempty"`
	// NthOrder counts the paid charges of a customer who is known since their creation; 0 is unknown.
	NthOrder       int           `json:"nth_order,omitempty"`
	Currency       string        `json:"currency,omitempty"`
	TotalPrice     string        `json:"total_price,omitempty"`
	SubtotalPrice  string        `json:"subtotal_price,omitempty"`
	TotalDiscounts string        `json:"total_discounts,omitempty"`
	TotalTax       string        `json:"total_tax,omitempty"`
	ShippingPrice  string        `json:"shipping_price,omitempty"`
	TotalRefunds   string        `json:"total_refunds,omitempty"`
	Discounts      []Discount    `json:"discounts,omitempty"`
	Processor      string        `json:"processor,omitempty"`
	ScheduledDate  recharge.Date `json:"scheduled_date,omitempty"`
	ProcessedAt    time.Time     `json:"processed_at,omitzero"`
	RetryDate      recharge.Date `json:"retry_date,omitempty"`
	RetryAt        time.Time     `json:"retry_at,omitzero"`
	Attempts       int           `json:"attempts,omitempty"`
	ErrorType      string        `json:"error_type,omitempty"`
	// ErrorKind is whether the customer can fix the error.
	ErrorKind ErrorKind `json:"error_kind,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	Items     []Item    `json:"items"`
}

// Discount is a discount code of a charge. Value is an amount or a percentage, according to Type.
type Discount struct {
	Code  string `json:"code,omitempty"`
	Value string `json:"value,omitempty"`
	Type  string `json:"type,omitempty"`
}

func (c *Charge) append(w *jsonappend.Writer) {
	if c != nil {
		w.BeginMember("charge")
		c.appendMembers(w)
		w.End()
	}
}

func (c *Charge) appendMembers(w *jsonappend.Writer) {
	w.String("id", c.ID)
	w.OptString("address_id", c.AddressID)
	w.OptString("source_status", c.SourceStatus)
	w.OptString("type", c.Type)
	w.OptString("platform_order_id", c.PlatformOrderID)
	w.OptString("order_number", c.OrderNumber)
	w.OptInt("nth_order", c.NthOrder)
	w.OptString("currency", c.Currency)
	w.OptString("total_price", c.TotalPrice)
	w.OptString("subtotal_price", c.SubtotalPrice)
	w.OptString("total_discounts", c.TotalDiscounts)
	w.OptString("total_tax", c.TotalTax)
	w.OptString("shipping_price", c.ShippingPrice)
	w.OptString("total_refunds", c.TotalRefunds)
	appendDiscounts(w, c.Discounts)
	w.OptString("processor", c.Processor)
	w.OptString("scheduled_date", string(c.ScheduledDate))
	w.OptTime("processed_at", c.ProcessedAt)
	w.OptString("retry_date", string(c.RetryDate))
	w.OptTime("retry_at", c.RetryAt)
	w.OptInt("attempts", c.Attempts)
	w.OptString("error_type", c.ErrorType)
	w.OptString("error_kind", string(c.ErrorKind))
	w.OptTime("created_at", c.CreatedAt)
	w.OptTime("updated_at", c.UpdatedAt)
	appendItems(w, c.Items)
}

func appendDiscounts(w *jsonappend.Writer, discounts []Discount) {
	if len(discounts) == 0 {
		return
	}
	w.BeginList("discounts")
	for _, d := range discounts {
		w.Begin()
		w.OptString("code", d.Code)
		w.OptString("value", d.Value)
		w.OptString("type", d.Type)
		w.End()
	}
	w.EndList()
}

// Item is one product of a charge or an order.
type Item struct {
	Kind           string `json:"kind"` // recharge.KindSubscription or recharge.KindOneTime
	SubscriptionID string `json:"subscription_id,omitempty"`
	ProductID      string `json:"product_id,omitempty"`
	VariantID      string `json:"variant_id,omitempty"`
	SKU            string `json:"sku,omitempty"`
	Title          string `json:"title,omitempty"`
	VariantTitle   string `json:"variant_title,omitempty"`
	Price          string `json:"price,omitempty"`
	Quantity       int    `json:"quantity,omitempty"`
	TotalPrice     string `json:"total_price,omitempty"`
	Discount       string `json:"discount,omitempty"`
	Tax            string `json:"tax,omitempty"`
}

func appendItems(w *jsonappend.Writer, items []Item) {
	if items == nil {
		w.Null("items")
		return
	}
	w.BeginList("items")
	for _, i := range items {
		w.Begin()
		w.String("kind", i.Kind)
		w.OptString("subscription_id", i.SubscriptionID)
		w.OptString("product_id", i.ProductID)
		w.OptString("variant_id", i.VariantID)
		w.OptString("sku", i.SKU)
		w.OptString("title", i.Title)
		w.OptString("variant_title", i.VariantTitle)
		w.OptString("price", i.Price)
		w.OptInt("quantity", i.Quantity)
		w.OptString("total_price", i.TotalPrice)
		w.OptString("discount", i.Discount)
		w.OptString("tax", i.Tax)
		w.End()
	}
	w.EndList()
}

// Order holds the fields of an order in facts and triggers.
type Order struct {
	ID              string        `json:"id"`
	ChargeID        string        `json:"charge_id,omitempty"`
	AddressID       string        `json:"address_id,omitempty"`
	PlatformOrderID string        `json:"platform_order_id,omitempty"`
	Number          string        `json:"number,omitempty"`
	Type            string        `json:"type,omitempty"`
	IsPrepaid       bool          `json:"is_prepaid"`
	Currency        string        `json:"currency,omitempty"`
	TotalPrice      string        `json:"total_price,omitempty"`
	ScheduledDate   recharge.Date `json:"scheduled_date,omitempty"`
	ProcessedAt     time.Time     `json:"processed_at,omitzero"`
	CreatedAt       time.Time     `json:"created_at,omitzero"`
	UpdatedAt       time.Time     `json:"updated_at,omitzero"`
	Items           []Item        `json:"items"`
}

func (o *Order) append(w *jsonappend.Writer) {
	if o == nil {
		return
	}
	w.BeginMember("order")
	w.String("id", o.ID)
	w.OptString("charge_id", o.ChargeID)
	w.OptString("address_id", o.AddressID)
	w.OptString("platform_order_id", o.PlatformOrderID)
	w.OptString("number", o.Number)
	w.OptString("type", o.Type)
	w.Bool("is_prepaid", o.IsPrepaid)
	w.OptString("currency", o.Currency)
	w.OptString("total_price", o.TotalPrice)
	w.OptString("scheduled_date", string(o.ScheduledDate))
	w.OptTime("processed_at", o.ProcessedAt)
	w.OptTime("created_at", o.CreatedAt)
	w.OptTime("updated_at", o.UpdatedAt)
	appendItems(w, o.Items)
	w.End()
}

func subscriptionOf(s *recharge.Subscription) *Subscription {
	return &Subscription{
		ID: s.ID, AddressID: s.AddressID, SourceStatus: s.Status,
		ProductID: s.ProductID, VariantID: s.VariantID, SKU: s.SKU,
		ProductTitle: s.ProductTitle, VariantTitle: s.VariantTitle,
		Price: s.Price, Currency: s.Currency, Quantity: s.Quantity,
		IntervalUnit: s.IntervalUnit, OrderInterval: s.OrderInterval, ChargeInterval: s.ChargeInterval,
		NextChargeDate: s.NextChargeDate, IsPrepaid: s.IsPrepaid,
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, CanceledAt: s.CancelledAt, Cancellation: cancellationOf(s),
		CancellationReason: s.CancellationReason, CancellationReasonComments: s.CancellationReasonComments,
	}
}

func chargeOf(c *recharge.Charge) *Charge {
	return &Charge{
		ID: c.ID, AddressID: c.AddressID, SourceStatus: c.Status, Type: c.Type, PlatformOrderID: c.PlatformOrderID,
		Currency: c.Currency, TotalPrice: c.TotalPrice, SubtotalPrice: c.SubtotalPrice,
		TotalDiscounts: c.TotalDiscounts, TotalTax: c.TotalTax, ShippingPrice: c.ShippingPrice, TotalRefunds: c.TotalRefunds,
		Discounts: discountsOf(c.Discounts), Processor: c.Processor,
		ScheduledDate: c.ScheduledDate, ProcessedAt: c.ProcessedAt, RetryDate: c.RetryDate, RetryAt: c.RetryAt,
		Attempts: c.Attempts, ErrorType: c.ErrorType, ErrorKind: errorKindOf(c.ErrorType),
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, Items: itemsOf(c.LineItems),
	}
}

func discountsOf(list []recharge.Discount) []Discount {
	if len(list) == 0 {
		return nil
	}
	discounts := make([]Discount, len(list))
	for i, d := range list {
		discounts[i] = Discount(d)
	}
	return discounts
}

func orderOf(o *recharge.Order) *Order {
	return &Order{
		ID: o.ID, ChargeID: o.ChargeID, AddressID: o.AddressID, PlatformOrderID: o.PlatformOrderID, Number: o.Number, Type: o.Type,
		IsPrepaid: o.IsPrepaid, Currency: o.Currency, TotalPrice: o.TotalPrice, ScheduledDate: o.ScheduledDate,
		ProcessedAt: o.ProcessedAt, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt, Items: itemsOf(o.LineItems),
	}
}

func itemsOf(lines []recharge.LineItem) []Item {
	items := make([]Item, len(lines))
	for i, l := range lines {
		items[i] = Item{
			Kind: l.Kind, SubscriptionID: l.SubscriptionID, ProductID: l.ProductID, VariantID: l.VariantID, SKU: l.SKU,
			Title: l.Title, VariantTitle: l.VariantTitle, Price: l.Price, Quantity: l.Quantity,
			TotalPrice: l.Total, Discount: l.Discount, Tax: l.Tax,
		}
	}
	return items
}
