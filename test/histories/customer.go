package histories

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Limits of a customer. Within them no two customers have the same ids.
const (
	MaxCustomer = 9_999_999
	MaxItems    = 99
	MaxCharges  = 999
)

// Customer is one customer with their subscriptions, and the webhooks that the shop has registered. It is a value: equal
// customers have equal histories, byte for byte.
type Customer struct {
	Number  int              // 0 to MaxCustomer: all ids follow from it
	Version recharge.Version // of the bodies; "" is 2021-11
	Items   int              // subscriptions in the box, 1 to MaxItems; 0 is 1
	// Included means that the webhooks are registered with included_objects ["customer"]: bodies have the customer object
	// besides the resource, unless they only have an id.
	Included bool
	// Topics are the registered webhook topics; nil means RecordedTopics.
	Topics []recharge.Topic
	Seed   uint64 // of all that varies from one recording to the next
}

// RecordedTopics are those that the recorded store had registered. The places of the others, charge/paid and customer/*, are
// assumed.
func RecordedTopics() []recharge.Topic {
	return []recharge.Topic{
		"charge/created", "charge/deleted", "charge/upcoming", "charge/updated",
		"order/created", "order/processed", "order/success",
		"subscription/activated", "subscription/cancelled", "subscription/created", "subscription/deleted", "subscription/updated",
	}
}

// AssumedTopics are sent as well if Customer.Topics names them: customer/created before a first checkout, customer/activated
// with its first subscription and the first reactivated one, customer/deactivated with the last cancelled one, charge/paid
// after the success of a charge, and those of the assumed actions.
func AssumedTopics() []recharge.Topic {
	return []recharge.Topic{
		"charge/failed", "charge/max_retries_reached", "charge/paid", "customer/activated", "customer/created", "customer/deactivated",
		"customer/deleted", "customer/updated", "subscription/swapped",
	}
}

func (c Customer) items() int { return min(max(c.Items, 1), MaxItems) }

func (c Customer) registered(topic recharge.Topic) bool {
	topics := c.Topics
	if topics == nil {
		topics = RecordedTopics()
	}
	return slices.Contains(topics, topic)
}

const firstCustomer, firstSubscription = 200_000_000, 1_000_000_000

// ID returns the customer's id. Like all ids it has decimal digits only.
func (c Customer) ID() string { return decimal(firstCustomer + int64(c.Number)) }

// NumberOf returns the number of the customer for the part of a record's key after the store: the customer's id, or
// subscription/{id}.
func NumberOf(key string) (int, bool) {
	if subscription, ok := strings.CutPrefix(key, "subscription/"); ok {
		id, err := strconv.Atoi(subscription)
		return (id - firstSubscription) / (MaxItems + 1), err == nil && id >= firstSubscription
	}
	id, err := strconv.Atoi(key)
	return id - firstCustomer, err == nil && id >= firstCustomer
}

// AddressID returns the id of the customer's first address.
func (c Customer) AddressID() string { return c.address(0) }

func (c Customer) address(nth int) string {
	return decimal(300_000_000 + int64(nth)*(MaxCustomer+1) + int64(c.Number))
}

// SubscriptionID returns the id of an item, 1 to Items.
func (c Customer) SubscriptionID(item int) string {
	return decimal(firstSubscription + int64(c.Number)*(MaxItems+1) + int64(item))
}

// ChargeID returns the id of a charge, 1 to MaxCharges. Charge 1 is that of the first checkout.
func (c Customer) ChargeID(charge int) string {
	return decimal(10_000_000_000 + int64(c.Number)*(MaxCharges+1) + int64(charge))
}

// OrderID returns the id of the order of a charge.
func (c Customer) OrderID(charge int) string {
	return decimal(20_000_000_000 + int64(c.Number)*(MaxCharges+1) + int64(charge))
}

// PlatformID returns the customer's id at the shop platform.
func (c Customer) PlatformID() string { return decimal(5_200_000_000_000 + int64(c.Number)) }

// Email returns the customer's initial e-mail, in lower case.
func (c Customer) Email() string { return fmt.Sprintf("subscriber%07d@example.com", c.Number) }

// Phone returns the customer's initial number, in E.164. All have exchange 555 in the Pacific time zone; they repeat after
// 340,000 customers.
func (c Customer) Phone() string {
	codes := areaCodes()
	return fmt.Sprintf("+1%s555%04d", codes[c.Number/10_000%len(codes)], c.Number%10_000)
}

func areaCodes() []string {
	return strings.Fields("503 541 971 458 206 253 360 425 509 213 310 323 408 415 510 530 559 562 619 626 650 661 707 714 " +
		"760 805 818 831 858 909 916 925 949 951")
}

func (c Customer) person() Person {
	names := [...]string{"Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gwen", "Hugo", "Ida", "Jo"}
	return Person{
		Email: c.Email(), FirstName: names[c.Number%len(names)], LastName: fmt.Sprintf("Example%d", c.Number), Phone: c.Phone(),
	}
}

func (c Customer) platformOrder(charge int) string {
	return decimal(5_000_000_000_000 + int64(c.Number)*(MaxCharges+1) + int64(charge))
}

func (c Customer) orderNumber(charge int) string {
	return decimal(1000 + int64(c.Number)*10 + int64(charge))
}
func (c Customer) hash() string { return fmt.Sprintf("%030x", c.Number) }

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
