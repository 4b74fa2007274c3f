package envelope

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Headers of every record. The CloudEvents headers follow its Kafka binding in binary mode:
// https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md
const (
	HeaderStore       = "store"
	HeaderReceivedAt  = "received_at" // when the gateway accepted the webhook, RFC 3339, UTC
	HeaderTraceparent = "traceparent"

	HeaderCEID          = "ce_id"
	HeaderCEType        = "ce_type"
	HeaderCESource      = "ce_source"
	HeaderCESpecVersion = "ce_specversion"
	HeaderCETime        = "ce_time"
	HeaderCESubject     = "ce_subject"
	HeaderCEDataSchema  = "ce_dataschema"
	HeaderContentType   = "content-type"
)

// Headers of a raw record. The timestamped signature of the webhook is stored too, in headers in lower case.
const (
	HeaderRechargeTopic = "recharge_topic"
	HeaderDeliveryHash  = "delivery_hash" // SHA-256 of topic and body: Recharge sends no delivery id
	HeaderSource        = "source"        // how the body entered, one of the sources below. Outputs have that of their raw record
	HeaderVerifiedBy    = "verified_by"   // the signature of a webhook that was verified: timestamped or legacy
	HeaderFactsSince    = "facts_since"   // of a backfilled resource: the earliest time of its facts, RFC 3339. Missing: no facts
	HeaderAddressToken  = "address_token" // whether the address of a webhook had a token: AddressTokenValid or AddressTokenNone
	HeaderRepairOf      = "repair_of"     // of SourceOperator: partition/offset of the webhook that came under a wrong topic
)

// The values of the header address_token. A webhook with a wrong token is refused.
const (
	AddressTokenValid = "valid"
	AddressTokenNone  = "none"
)

// The values of the source header of a raw record.
const (
	SourceWebhook  = "webhook"
	SourceOperator = "operator" // a webhook that came under a wrong topic, sent again by an operator
	SourceLookup   = "lookup"   // an answer of Recharge's API
	SourceImport   = "import"   // a customer with all subscriptions, as Recharge's API lists them
	SourceBackfill = "backfill" // a resource as Recharge's API lists it, in the form of a webhook
	SourceOwner    = "owner"    // the transformer: a customer has a subscription
	SourceMoved    = "moved"    // the transformer: a subscription has moved to another customer

	SourceChargeOwner = "charge_owner"   // the transformer: a customer has a charge that is not paid
	SourceDeleted     = "charge_deleted" // the transformer: a charge of the customer was deleted
)

// Lineage: headers of an output that identify its raw record.
const (
	HeaderRawTopic     = "raw_topic"
	HeaderRawPartition = "raw_partition"
	HeaderRawOffset    = "raw_offset"
)

const typePrefix = "rechargeflow."

// The ce_type of the records in recharge.sms-triggers and recharge.sms-receipts.
const (
	TypeTrigger    = typePrefix + schemas.SMSTrigger
	TypeRevocation = typePrefix + schemas.SMSRevocation
	TypeReceipt    = typePrefix + schemas.SMSReceipt
	TypeClick      = typePrefix + schemas.SMSClick
)

// Header returns a header.
func Header(key, value string) kafka.Header {
	return kafka.Header{Key: key, Value: []byte(value)}
}

// HeaderError returns the error of a header that is missing or has an invalid value. It does not quote the value.
func HeaderError(key, value string) error {
	if value == "" {
		return fmt.Errorf("header %s is missing", key)
	}
	return fmt.Errorf("header %s has an invalid value of %d bytes", key, len(value))
}

// Store returns the store of a record. The error says that the header is missing or is no name of a store.
func Store(r kafka.Record) (string, error) {
	name := r.Header(HeaderStore)
	if name == "" || len(name) > 40 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", HeaderError(HeaderStore, name)
	}
	return name, nil
}

// ReceivedAt returns when the gateway accepted the webhook of r.
func ReceivedAt(r kafka.Record) (time.Time, error) {
	value := r.Header(HeaderReceivedAt)
	at, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return time.Time{}, HeaderError(HeaderReceivedAt, value)
	}
	return at, nil
}

// BackfillOf returns what a backfilled resource is used for; nil if r is none.
func BackfillOf(r kafka.Record) (*recharge.Backfill, error) {
	if r.Header(HeaderSource) != SourceBackfill {
		return nil, nil //nolint:nilnil // most records are none
	}
	value := r.Header(HeaderFactsSince)
	if value == "" {
		return &recharge.Backfill{}, nil
	}
	since, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return nil, HeaderError(HeaderFactsSince, value)
	}
	return &recharge.Backfill{FactsSince: since}, nil
}

// ReceivedOrWritten returns when the gateway accepted a raw record, or else its timestamp.
func ReceivedOrWritten(r kafka.Record) time.Time {
	if at, err := ReceivedAt(r); err == nil {
		return at
	}
	return r.Time
}

// RawPosition returns the place of the raw record that a record came from.
func RawPosition(r kafka.Record) (topic string, partition int, offset int64, err error) {
	topic = r.Header(HeaderRawTopic)
	partition, err = strconv.Atoi(r.Header(HeaderRawPartition))
	if err != nil {
		return "", 0, 0, HeaderError(HeaderRawPartition, r.Header(HeaderRawPartition))
	}
	offset, err = strconv.ParseInt(r.Header(HeaderRawOffset), 10, 64)
	if err != nil {
		return "", 0, 0, HeaderError(HeaderRawOffset, r.Header(HeaderRawOffset))
	}
	return topic, partition, offset, nil
}
