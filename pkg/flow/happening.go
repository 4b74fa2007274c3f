package flow

// Happening is an event of a subscription, a charge, an order or a customer.
type Happening string

// Happenings of a subscription.
const (
	Created   Happening = "created"
	Activated Happening = "activated"
	Canceled  Happening = "canceled"
	Deleted   Happening = "deleted"
	Expired   Happening = "expired"
	Paused    Happening = "paused"
	Skipped   Happening = "skipped"
	Unskipped Happening = "unskipped"
	Replaced  Happening = "replaced"
	Swapped   Happening = "swapped"
)

// Happenings of a charge, an order or a customer.
const (
	Upcoming         Happening = "upcoming"
	RetryScheduled   Happening = "retry_scheduled"
	FailedForGood    Happening = "failed_for_good"
	Paid             Happening = "paid"
	Processed        Happening = "processed"
	AccountActivated Happening = "account_activated"
	AskedForHelp     Happening = "asked_for_help"
)

// Meaning describes the happening on docs/flows.md.
func (h Happening) Meaning() string {
	return map[Happening]string{
		Created:          "a subscription is created",
		Activated:        "a subscription is activated",
		Canceled:         "a subscription is canceled",
		Deleted:          "a subscription is deleted",
		Expired:          "a subscription expires",
		Paused:           "a subscription is paused",
		Skipped:          "an order of a subscription is skipped",
		Unskipped:        "a skip is undone",
		Replaced:         "the customer has another, newer subscription that was created within 10 minutes of the cancellation",
		Swapped:          "a subscription gets another product",
		Upcoming:         "a charge or a prepaid order is due in a few days",
		RetryScheduled:   "a charge failed with an error that the customer can fix, and Recharge will retry",
		FailedForGood:    "the last retry of a charge failed, or it failed with an error that the customer can fix and Recharge does not retry",
		Paid:             "a charge is paid",
		Processed:        "an order is processed",
		AccountActivated: "a customer is activated for the first time",
		AskedForHelp:     "a customer replies HELP to a text",
	}[h]
}
