// Package reason lists all reasons why a webhook is refused or a record has no effect.
//
//	reason.go   the closed list
package reason

// Reason is a label of rechargeflow_records_total, a field of the log line of a record and a header of a dead letter.
type Reason string

// Why the gateway refuses a webhook or a callback, besides UnknownStore and Malformed.
const (
	UnknownPath       Reason = "unknown_path"       // the address names no Recharge topic
	BadAddressToken   Reason = "bad_address_token"  // the token in the address is not that of store and topic
	NoAddressToken    Reason = "no_address_token"   // the store requires a token in the address
	BadSignature      Reason = "bad_signature"      // no configured secret made it
	NoSignature       Reason = "no_signature"       // no signature header
	SignatureExpired  Reason = "signature_expired"  // its time stamp is too old
	LegacySignature   Reason = "legacy_signature"   // the store requires the timestamped signature
	SignatureStripped Reason = "signature_stripped" // no timestamped signature, which earlier webhooks to the address had
	BodyTooLarge      Reason = "body_too_large"     // above gateway.body_limit
	BodyUnreadable    Reason = "body_unreadable"    // the request ended early
	NotJSON           Reason = "not_json"           // the body is not one JSON document
	OtherResource     Reason = "other_resource"     // the body has another resource than the topic of its address
	KafkaUnavailable  Reason = "kafka_unavailable"  // not stored in time
	PartitionsChanged Reason = "partitions_changed" // not stored: the topic has another number of partitions, so the customer would change partition

	NoCallbackSecret   Reason = "no_callback_secret"   // a callback of an SMS provider, and the gateway has no secret to verify it
	BodyMemory         Reason = "body_memory"          // bodies in memory have reached gateway.body_memory
	TooManyConnections Reason = "too_many_connections" // connections have reached gateway.max_connections, and this one waited longest
	HeaderTooLarge     Reason = "header_too_large"     // above 32 KiB
	MalformedRequest   Reason = "malformed_request"    // not HTTP, or a form of it that is not supported
	RecordTooLarge     Reason = "record_too_large"     // above max.message.bytes of recharge.webhooks
	TimestampRefused   Reason = "timestamp_refused"    // the clocks of this machine and of the broker differ
)

// Why the transformer skips a raw record.
const (
	TopicUnknown             Reason = "topic_unknown"              // Recharge has no such topic: the address is mistyped
	TopicNotUsed             Reason = "topic_not_used"             // no event and no flow comes from this topic
	NoFact                   Reason = "no_fact"                    // the topic may hold a fact, this body does not
	SMSOff                   Reason = "sms_off"                    // it would only trigger texts, and the store sends none
	NotConnectedToShopify    Reason = "not_connected_to_shopify"   // customer_change needs a Shopify customer
	ActivePropertyOff        Reason = "active_property_off"        // it would only set the property, which the store has switched off
	Duplicate                Reason = "duplicate"                  // all its facts were emitted before
	Contradicted             Reason = "contradicted"               // a later fact undid what it would text about
	Unchanged                Reason = "unchanged"                  // a customer whose address, name and number are the same
	SubscriptionsStillActive Reason = "subscriptions_still_active" // a charge failed for good, and its subscriptions stay active
	NotTracked               Reason = "not_tracked"                // in a preview: only facts that the store does not track
	StateUpdated             Reason = "state_updated"              // it updated the state and perhaps a table, without a fact
	ChargeOwnerUnknown       Reason = "charge_owner_unknown"       // a deleted charge whose customer is not known yet, or that was never open
	ChargeDeleted            Reason = "charge_deleted"             // a charge was deleted: it updated the table, without a fact
	LookupApplied            Reason = "lookup_applied"             // an API answer or an import: it updated the state, without a fact
	OwnerApplied             Reason = "owner_applied"              // an owner record: it updated the state, and the owner is the same
	MoveApplied              Reason = "move_applied"               // a subscription moved to another customer: it updated the state, without a fact
	NotCustomerFixable       Reason = "not_customer_fixable"       // a failed charge that the customer can't fix
	ChargeErrorUnknown       Reason = "charge_error_unknown"       // a failed charge with an undocumented error type
	RetryDatePassed          Reason = "retry_date_passed"          // a failed charge whose next attempt was due already
	NothingCharged           Reason = "nothing_charged"            // a paid charge with a total of zero: no text about a payment
	OneTimeProduct           Reason = "one_time_product"           // a product that is bought once, in the form of a subscription
	PrepaidGift              Reason = "prepaid_gift"               // a prepaid subscription that was canceled, or expired, within a day of its checkout
	CustomerErased           Reason = "customer_erased"            // the personal data of its customer was erased
)

// LookupPending means that the transformer parked a record until its customer is looked up in Recharge's API.
const LookupPending Reason = "lookup_pending"

// Why a trigger, a revocation or a receipt has no effect, and why a text is suppressed.
const (
	FlowInactive    Reason = "flow_inactive"     // the flow is switched off
	NothingToRevoke Reason = "nothing_to_revoke" // a revocation, and no text is waiting to be sent
	Stale           Reason = "stale"             // the text is no longer worth sending
	NoPhone         Reason = "no_phone"          // none is known to be the customer's
	PhoneInvalid    Reason = "phone_invalid"     // not a number that takes texts
	CountryUnknown  Reason = "country_unknown"   // a number without a country code, of a country that is not recognized
	OptedOut        Reason = "opted_out"         // the number has opted out
	NotOptedIn      Reason = "not_opted_in"      // the store texts only numbers that have opted in, and this one has not
	ConsentUnknown  Reason = "consent_unknown"   // recharge.consent is not read yet
	Capped          Reason = "capped"            // the customer has had as many texts as a day allows, or as many about this charge
	Paused          Reason = "paused"            // an operator has paused the flow: the text is held
	TextNotRendered Reason = "text_not_rendered" // the flow's template failed
	Revoked         Reason = "revoked"           // something happened meanwhile that makes the text untrue
	Merged          Reason = "merged"            // another text of the same action includes it
	MergedLate      Reason = "merged_late"       // the text of the same action is on its way or sent
	MessageUnknown  Reason = "message_unknown"   // a receipt of a text that is not known, or not any more
	ReceiptOutdated Reason = "receipt_outdated"  // a receipt that says less than what is known of the text
	BotClick        Reason = "bot_click"         // a program has requested a short link
)

// Why a record becomes a dead letter.
const (
	Malformed          Reason = "malformed"           // its value can't be read, or a header is missing or invalid
	UnknownStore       Reason = "unknown_store"       // its store is not configured; the gateway refuses such a webhook
	CustomerUnknown    Reason = "customer_unknown"    // neither the record, the state nor the API identifies its customer
	CustomerUnreadable Reason = "customer_unreadable" // the API's answer is no customer
	ParkedRecordGone   Reason = "parked_record_gone"  // retention deleted it from recharge.webhooks while it was parked
	TooOld             Reason = "too_old"             // redriven more than 425 days after it was received: the state it needs may have expired
	TooLarge           Reason = "too_large"           // its output or row exceeds Kafka's record size
	Refused            Reason = "refused"             // the destination refused this record alone
	Panic              Reason = "panic"               // the handler panicked on it
)

// OfDeadLetters lists why records become dead letters.
func OfDeadLetters() []Reason {
	return []Reason{
		Malformed, UnknownStore, CustomerUnknown, CustomerUnreadable, ParkedRecordGone, TooOld, TooLarge, Refused, Panic,
	}
}
