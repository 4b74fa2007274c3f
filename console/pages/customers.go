package pages

import (
	"cmp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// customersPage is a page of customers.
type customersPage struct {
	Query     service.CustomerQuery
	Customers []service.CustomerRow
	Reading   service.Reading
}

func (p *Pages) customers(c echo.Context) error {
	ctx, store := c.Request().Context(), c.Param("store")
	own := customersPage{Query: service.CustomerQuery{Store: store, Search: c.QueryParam("search"), Limit: pageSize, Whole: wholeOnly(c)}}
	found, err := p.service.Customers(ctx, own.Query)
	if err != nil {
		return err
	}
	if own.Reading, err = p.service.Reading(ctx); err != nil {
		return err
	}
	own.Customers = found.Customers
	return p.show(c, "customers.html", "Customers", own)
}

// customerPage is one customer.
type customerPage struct {
	Customer               service.Customer
	Subscriptions, Charges []row
	Reveal                 bool
	Timeline               *timeline.Timeline
	TimelinePath           string
}

// row is a subscription or a charge.
type row struct {
	Title, Detail string
	State         badge
}

func (p *Pages) customer(c echo.Context) error {
	ctx, store, id, reveal := c.Request().Context(), c.Param("store"), c.Param("customer"), reveals(c)
	found, err := p.service.Customer(ctx, store, id, reveal)
	if err != nil {
		return err
	}
	own := customerPage{Customer: found, Reveal: reveal, TimelinePath: link(store, "customers", id) + "?timeline=1"}
	if reveal {
		own.TimelinePath += "&reveal=1"
	}
	for _, s := range found.Subscriptions {
		own.Subscriptions = append(own.Subscriptions, subscriptionRow(s))
	}
	for _, charge := range found.Charges {
		own.Charges = append(own.Charges, chargeRow(charge))
	}
	if c.QueryParam("timeline") != "" {
		all, err := p.service.Timeline(ctx, service.TimelineQuery{Store: store, ID: id, Reveal: reveal})
		if err != nil {
			return err
		}
		own.Timeline = &all
	}
	return p.show(c, "customer.html", "Customer "+id, own)
}

func subscriptionRow(of readmodel.Subscription) row {
	detail := []string{of.VariantTitle, strings.TrimSpace(of.Price + " " + of.Currency)}
	if of.OrderInterval > 0 {
		detail = append(detail, "every "+plural(of.OrderInterval, of.IntervalUnit, of.IntervalUnit+"s"))
	}
	if of.NextChargeDate != "" {
		detail = append(detail, "next charge "+of.NextChargeDate)
	}
	detail = append(detail, "id "+of.ID)
	return row{Title: cmp.Or(of.ProductTitle, "Subscription"), State: stateBadge(of.Status), Detail: sentenceOf(detail)}
}

func chargeRow(of readmodel.Charge) row {
	detail := append(slices.Clone(of.Titles), of.ScheduledDate)
	if of.ErrorType != "" {
		detail = append(detail, plainly(strings.ToLower(of.ErrorType)))
	}
	return row{
		Title: cmp.Or(strings.TrimSpace(of.TotalPrice+" "+of.Currency), "Charge "+of.ID), State: stateBadge(of.Status), Detail: sentenceOf(detail),
	}
}

// sentenceOf joins what there is of some parts.
func sentenceOf(parts []string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ", ")
}
