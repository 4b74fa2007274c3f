package readmodel

import (
	"encoding/json"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Place is where a record is: what the read model leaves out of it, such as personal data, is read there.
type Place struct {
	Topic     string `json:"topic"` // with prefix
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
}

// Event is a record of recharge.events or recharge.facts.
type Event struct {
	At         time.Time `json:"at"` // when it was written
	OccurredAt time.Time `json:"occurred_at"`
	Store      string    `json:"store"`
	Customer   string    `json:"recharge_customer_id"`
	ID         string    `json:"id"`
	// Fact means that it is in recharge.facts.
	Fact   bool   `json:"fact,omitempty"`
	Type   string `json:"type"`
	Status string `json:"status,omitempty"`
	// About is the resource, such as charge/580825303.
	About string `json:"about,omitempty"`
	// Detail is the title of the first product, the names of changed fields, or a property and its value.
	Detail   string `json:"detail,omitempty"`
	Amount   string `json:"amount,omitempty"`
	Currency string `json:"currency,omitempty"`
	Place    Place  `json:"place"`
}

// EventType is what is known of the events with a type and status.
type EventType struct {
	Store  string `json:"store"`
	Fact   bool   `json:"fact,omitempty"`
	Type   string `json:"type"`
	Status string `json:"status,omitempty"`
	// Count is how many there are within the retention of events.
	Count   int64 `json:"count"`
	Example Event `json:"example"` // the last one
}

// Text is a text as it is now.
type Text struct {
	ID       string         `json:"id"`
	Store    string         `json:"store"`
	Customer string         `json:"recharge_customer_id"`
	Flow     flow.Key       `json:"flow"`
	Status   message.Status `json:"status"`
	Reason   reason.Reason  `json:"reason,omitempty"`
	// PlannedAt is when it was planned; zero if that is longer ago than recharge.messages goes back.
	PlannedAt time.Time `json:"planned_at,omitzero"`
	StatusAt  time.Time `json:"status_at"`  // since when it has its status
	ChangedAt time.Time `json:"changed_at"` // when it changed last
	ReleaseAt time.Time `json:"release_at,omitzero"`
	Deferred  bool      `json:"deferred,omitempty"`
	Attempt   int       `json:"attempt,omitempty"`
	ClickedAt time.Time `json:"clicked_at,omitzero"`
	// ProviderID and Error have e-mails and numbers masked.
	ProviderID string `json:"provider_id,omitempty"`
	Code       string `json:"code,omitempty"`
	Error      string `json:"error,omitempty"`
	// To is the masked number. To, From, Body, Segments and Variables are empty until the text is claimed, and 35 days after its end.
	To        string            `json:"to,omitempty"`
	From      string            `json:"from,omitempty"`
	Body      string            `json:"text,omitempty"`
	Masked    string            `json:"masked,omitempty"` // Body without personal data
	Segments  int               `json:"segments,omitempty"`
	Variables map[string]string `json:"variables,omitempty"` // of a text that the destination renders
}

// TextLife is a text with all its changes.
type TextLife struct {
	Text

	Cause    string                  `json:"cause"`
	Triggers []message.ChangeTrigger `json:"triggers"`
	Changes  []TextChange            `json:"changes"` // oldest first
}

// TextChange is a change of a text.
type TextChange struct {
	Change     int            `json:"change"`
	At         time.Time      `json:"at"`
	Status     message.Status `json:"status"`
	Reason     reason.Reason  `json:"reason,omitempty"`
	ReleaseAt  time.Time      `json:"release_at,omitzero"`
	Attempt    int            `json:"attempt,omitempty"`
	ClickedAt  time.Time      `json:"clicked_at,omitzero"`
	ProviderID string         `json:"provider_id,omitempty"`
	Code       string         `json:"code,omitempty"`
	Error      string         `json:"error,omitempty"`
	Place      Place          `json:"place"`
}

// Customer is a row of recharge.customers. E-mail, names and phone are not masked.
type Customer struct {
	Store      string `json:"store"`
	ID         string `json:"recharge_customer_id"`
	Email      string `json:"email,omitempty"`
	FirstName  string `json:"first_name,omitempty"`
	LastName   string `json:"last_name,omitempty"`
	Phone      string `json:"phone,omitempty"`
	PlatformID string `json:"platform_id,omitempty"`
	// SubscriptionActive is absent if it is not known.
	SubscriptionActive *bool     `json:"subscription_active,omitempty"`
	CreatedAt          time.Time `json:"created_at,omitzero"`
	UpdatedAt          time.Time `json:"updated_at,omitzero"`
}

// CustomerPage is what the topics have of one customer. Lists are newest first and have at most the number of rows that was asked for.
type CustomerPage struct {
	// Customer has only store and ID if there is no row, such as of a deleted customer.
	Customer      Customer       `json:"customer"`
	Known         bool           `json:"known"` // there is a row
	Subscriptions []Subscription `json:"subscriptions"`
	Charges       []Charge       `json:"charges"`
	Texts         []Text         `json:"texts"`
	Events        []Event        `json:"events"`
	Facts         []Event        `json:"facts"`
	DeadLetters   []DeadLetter   `json:"dead_letters"`
}

// Subscription is a row of recharge.subscriptions, without what the customer has typed.
type Subscription struct {
	ID             string    `json:"id"`
	Status         string    `json:"status"`
	ProductTitle   string    `json:"product_title,omitempty"`
	VariantTitle   string    `json:"variant_title,omitempty"`
	Quantity       int       `json:"quantity,omitempty"`
	Price          string    `json:"price,omitempty"`
	Currency       string    `json:"currency,omitempty"`
	IntervalUnit   string    `json:"interval_unit,omitempty"`
	OrderInterval  int       `json:"order_interval,omitempty"`
	NextChargeDate string    `json:"next_charge_date,omitempty"` // a day in US Eastern time
	Cancellation   string    `json:"cancellation,omitempty"`     // voluntary or involuntary
	CreatedAt      time.Time `json:"created_at,omitzero"`
	CanceledAt     time.Time `json:"canceled_at,omitzero"`
	UpdatedAt      time.Time `json:"updated_at,omitzero"`
}

// Charge is a row of recharge.charges, in short.
type Charge struct {
	ID            string    `json:"id"`
	Status        string    `json:"status"`
	Type          string    `json:"type,omitempty"`
	OrderNumber   string    `json:"order_number,omitempty"`
	TotalPrice    string    `json:"total_price,omitempty"`
	TotalRefunds  string    `json:"total_refunds,omitempty"`
	Currency      string    `json:"currency,omitempty"`
	ScheduledDate string    `json:"scheduled_date,omitempty"` // a day in US Eastern time
	RetryDate     string    `json:"retry_date,omitempty"`
	Attempts      int       `json:"attempts,omitempty"`
	ErrorType     string    `json:"error_type,omitempty"`
	Titles        []string  `json:"titles,omitempty"` // of its products
	ProcessedAt   time.Time `json:"processed_at,omitzero"`
	UpdatedAt     time.Time `json:"updated_at,omitzero"`
}

// DeadLetter is a record that a role rejected. Its value is in Place.
type DeadLetter struct {
	At    time.Time     `json:"at"` // when it was written
	Role  topology.Role `json:"role"`
	Store string        `json:"store,omitempty"`
	// Customer is empty if the key of the record names none.
	Customer string `json:"recharge_customer_id,omitempty"`
	// About is the resource that the key names in place of a customer, such as charge/580825303.
	About string `json:"about,omitempty"`
	// Type is the Recharge topic of a webhook, else the type of the record.
	Type     string    `json:"type,omitempty"`
	Reason   string    `json:"reason"`
	Error    string    `json:"error,omitempty"` // e-mails and numbers are masked
	Attempts int       `json:"attempts"`
	FirstAt  time.Time `json:"first_at"`
	LastAt   time.Time `json:"last_at"`
	// ReplayedAt is when it was sent to its role again last; zero if it was not.
	ReplayedAt time.Time `json:"replayed_at,omitzero"`
	Place      Place     `json:"place"`
	Origin     Place     `json:"origin"` // the record as it was first
}

// DeadLetterCount is how many dead letters there are of a role, a store and a reason.
type DeadLetterCount struct {
	Role     topology.Role `json:"role"`
	Store    string        `json:"store,omitempty"`
	Reason   string        `json:"reason"`
	Open     int64         `json:"open"` // not sent to their role again
	Replayed int64         `json:"replayed"`
	LastAt   time.Time     `json:"last_at"`
}

// Overview is what happened in a store since a time, and what waits now.
type Overview struct {
	Since  time.Time    `json:"since"`
	Events []EventCount `json:"events"`
	// Texts are those that reached their present status since then.
	Texts map[message.Status]int64 `json:"texts"`
	// DeadLetters were written since then; OpenDeadLetters are all that were not sent to their role again.
	DeadLetters     int64 `json:"dead_letters"`
	OpenDeadLetters int64 `json:"open_dead_letters"`
	// Waiting are the texts that are planned or claimed; NextRelease is when the first of them is due.
	Waiting     int64     `json:"waiting"`
	NextRelease time.Time `json:"next_release,omitzero"`
	// Unknown are texts that were perhaps sent.
	Unknown int64 `json:"unknown"`
}

// EventCount is how many events there were with a type and status.
type EventCount struct {
	Fact   bool   `json:"fact,omitempty"`
	Type   string `json:"type"`
	Status string `json:"status,omitempty"`
	Count  int64  `json:"count"`
}

// FlowCount is the texts of a flow, counted as package flowstats counts them.
type FlowCount struct {
	Flow      flow.Key `json:"flow"`
	Texts     int64    `json:"texts"`
	Sent      int64    `json:"sent"`
	Delivered int64    `json:"delivered"`
	Clicked   int64    `json:"clicked"`
	Failed    int64    `json:"failed"`
	Waiting   int64    `json:"waiting"`
}

// Live is one row that has just come: one of its fields is set.
type Live struct {
	Event      *Event      `json:"event,omitempty"`
	Text       *Text       `json:"text,omitempty"`
	DeadLetter *DeadLetter `json:"dead_letter,omitempty"`
}

// Page is a part of a list.
type Page[T any] struct {
	Rows []T `json:"rows"`
	// Next selects the next part; empty at the end.
	Next string `json:"next,omitempty"`
}

// Progress is how far the topics are read.
type Progress struct {
	// CaughtUp means that all records that there were when the process began to read are in the read model.
	CaughtUp bool `json:"caught_up"`
	// Behind is the number of offsets that are not read yet, as of the last look.
	Behind int64 `json:"behind"`
	// Read is the number of offsets that were read of those that are kept.
	Read int64 `json:"read"`
	// LookedAt is when the ends of all topics were known last: an old time means that Kafka does not answer.
	LookedAt time.Time `json:"looked_at,omitzero"`
	// Trouble is why reading fails; empty if it does not.
	Trouble string `json:"trouble,omitempty"`
	// Topic is the topic that Trouble is about; empty for none.
	Topic string `json:"topic,omitempty"`
}

// variables is the JSON of Text.Variables.
func variables(text string) (v map[string]string) {
	if text != "" && json.Unmarshal([]byte(text), &v) != nil {
		return nil // it was written by this package
	}
	return v
}
