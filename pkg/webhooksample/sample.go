package webhooksample

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

//go:embed bodies
var bodies embed.FS

// MaxCustomer limits Sample.Customer: the ids of a customer's resources have a digit more.
const MaxCustomer = 1_000_000_000_000_000

// ErrNoSample means that there is no sample of a topic, because its webhooks have no effect.
var ErrNoSample = errors.New("no sample of this topic")

// Sample is a sample webhook. The same customer has always the same subscription, charge and order, so samples of one customer make a
// history.
type Sample struct {
	Topic   recharge.Topic
	Version recharge.Version
	// Customer is the Recharge customer id, from 1 to MaxCustomer.
	Customer int64
	// At is when the webhook is sent; what it is about happened two seconds before.
	At time.Time
}

// Versions lists the versions of Recharge's API.
func Versions() []recharge.Version {
	return []recharge.Version{recharge.Version202111, recharge.Version202101}
}

// Topics lists the topics that have a sample: those that can produce output with some switches.
func Topics() []recharge.Topic {
	return slices.DeleteFunc(recharge.Topics(), func(t recharge.Topic) bool {
		return !subscriber.AllSwitches().Uses(t)
	})
}

// values are those of a body.
type values struct {
	Customer, Subscription, Charge, Order, Address, OrderNumber int64
	ShopifyCustomer, ShopifyOrder                               string
	Email, Phone, Hash                                          string
}

// valuesOf derives all values from the customer. The phone numbers are among those that are reserved for fiction
// (https://www.nationalnanpa.com/number_resource_info/555_numbers.html: 555-0100 to 555-0199).
func valuesOf(customer int64) values {
	const digit = 10
	return values{
		Customer: customer, Subscription: customer*digit + 1, Charge: customer*digit + 2, Order: customer*digit + 3, Address: customer*digit + 4,
		OrderNumber: 1000 + customer%9000, ShopifyCustomer: strconv.FormatInt(customer*digit+5, 10), ShopifyOrder: strconv.FormatInt(customer*digit+6, 10),
		Email: fmt.Sprintf("sample-%d@example.com", customer), Phone: fmt.Sprintf("+1503555%04d", 100+customer%100), Hash: fmt.Sprintf("%016x", customer),
	}
}

// Body returns the body of the webhook. ErrNoSample means that there is none of its topic.
func (s Sample) Body() ([]byte, error) {
	name := "bodies/" + string(s.Version) + "/" + strings.ReplaceAll(string(s.Topic.Current()), "/", "_") + ".json"
	text, err := bodies.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s, version %s", ErrNoSample, s.Topic, s.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("read sample: %w", err)
	}
	zone, layout := time.UTC, "2006-01-02T15:04:05+00:00"
	eastern, err := time.LoadLocation("America/New_York")
	if err != nil {
		return nil, fmt.Errorf("load time zone of Recharge's calendar: %w", err)
	}
	if s.Version == recharge.Version202101 {
		zone, layout = eastern, "2006-01-02T15:04:05"
	}
	parsed, err := template.New(name).Funcs(template.FuncMap{
		"ago": func(seconds int) string {
			return s.At.Add(-time.Duration(seconds) * time.Second).In(zone).Format(layout)
		},
		"day": func(days int) string { return s.At.In(eastern).AddDate(0, 0, days).Format(time.DateOnly) },
	}).Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("parse sample: %w", err)
	}
	var body bytes.Buffer
	if err := parsed.Execute(&body, valuesOf(s.Customer)); err != nil {
		return nil, fmt.Errorf("fill in sample: %w", err)
	}
	return body.Bytes(), nil
}
