package pipeline

import "github.com/rechargeflow/rechargeflow/pkg/subscriber"

// Reason says why a webhook was refused or a record got no further: a label of
// rechargeflow_records_total and a field of the log line.
type Reason string

// Why the gateway refuses a webhook.
const (
	ReasonUnknownStore     Reason = "unknown_store"
	ReasonUnknownPath      Reason = "unknown_path"
	ReasonBadSignature     Reason = "bad_signature"
	ReasonNoSignature      Reason = "no_signature"
	ReasonSignatureExpired Reason = "signature_expired"
	ReasonBodyTooLarge     Reason = "body_too_large"
	ReasonBodyUnreadable   Reason = "body_unreadable"
	ReasonNotJSON          Reason = "not_json"
	ReasonKafkaUnavailable Reason = "kafka_unavailable"
)

// Why the transformer skips a webhook.
const (
	ReasonTopicUnknown       Reason = "topic_unknown" // Recharge has no such topic: the address is mistyped
	ReasonTopicNotUsed              = Reason(subscriber.SkipTopicNotUsed)
	ReasonNoFact                    = Reason(subscriber.SkipNoFact)
	ReasonSMSOff                    = Reason(subscriber.SkipSMSOff)
	ReasonNoShopify                 = Reason(subscriber.SkipNoShopify)
	ReasonPropertyOff               = Reason(subscriber.SkipPropertyOff)
	ReasonTold                      = Reason(subscriber.SkipTold)
	ReasonContradicted              = Reason(subscriber.SkipContradicted)
	ReasonNothingChanged            = Reason(subscriber.SkipNothingChanged)
	ReasonLeftActive                = Reason(subscriber.SkipLeftActive)
	ReasonLearnt                    = Reason(subscriber.SkipLearnt)
	ReasonNotCustomers              = Reason(subscriber.SkipNotCustomers)
	ReasonChargeErrorUnknown        = Reason(subscriber.SkipUnknownError)
	ReasonRetryDatePassed           = Reason(subscriber.SkipRetryDatePassed)
)

// ReasonCustomerAsked is why the transformer puts a record aside: Recharge's API is asked who its customer is.
const ReasonCustomerAsked Reason = "customer_asked"

// Why the sms sink sends no text.
const (
	ReasonFlowInactive   Reason = "flow_inactive"
	ReasonNothingHeld    Reason = "nothing_held"    // a revocation, and no text is waiting
	ReasonStale          Reason = "stale"           // the text is no longer worth sending
	ReasonNoPhone        Reason = "no_phone"        // the customer gave none
	ReasonPhoneInvalid   Reason = "phone_invalid"   // not a number that takes texts
	ReasonAlreadySent    Reason = "already_sent"    // the ledger knows this trigger
	ReasonOutcomeUnknown Reason = "outcome_unknown" // perhaps sent: never sent again
)

// Why a record becomes a dead letter.
const (
	ReasonMalformed          Reason = "malformed"
	ReasonCustomerUnknown    Reason = "customer_unknown"
	ReasonCustomerUnreadable Reason = "customer_unreadable" // Recharge's answer is no customer
	ReasonParkedGone         Reason = "parked_record_gone"  // put aside, and deleted from recharge.webhooks before it could be decided on
	ReasonTooOld             Reason = "too_old"             // sent again more than 425 days after it was received: what it must meet may be forgotten
	ReasonTooLarge           Reason = "too_large"           // what comes of it doesn't fit into a Kafka record
	ReasonRefused            Reason = "refused"             // the destination refused this one by name
	ReasonTextNotRendered    Reason = "text_not_rendered"
	ReasonPanic              Reason = "panic"
)
