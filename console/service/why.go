package service

import (
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// Why puts a reason into words for those who don't know the pipeline: why a text was not sent, or a record was rejected. A reason that has none
// is its own name.
func Why(r reason.Reason) string {
	if words := whyNoText(r); words != "" {
		return words
	}
	if words := whyRejected(r); words != "" {
		return words
	}
	return strings.ReplaceAll(string(r), "_", " ")
}

// whyNoText is why a text was not sent, or is held back.
func whyNoText(r reason.Reason) string {
	return map[reason.Reason]string{
		reason.FlowInactive:    "the flow was off",
		reason.Stale:           "it was no longer worth sending",
		reason.NoPhone:         "no number is known to be the customer's own",
		reason.PhoneInvalid:    "the number takes no texts",
		reason.CountryUnknown:  "the number has no country code, and its country is not known",
		reason.OptedOut:        "the number has opted out",
		reason.NotOptedIn:      "the number has not opted in",
		reason.ConsentUnknown:  "the decisions of numbers are still being read",
		reason.Capped:          "the customer has had as many texts as are allowed",
		reason.Paused:          "texts are held by an operator",
		reason.TextNotRendered: "the text of the flow can't be filled in",
		reason.Revoked:         "what happened next made it untrue",
		reason.Merged:          "another text of the same action says it",
		reason.MergedLate:      "a text of the same action was sent already",
		reason.Contradicted:    "what happened since made it untrue",
		reason.NothingCharged:  "nothing was charged",
		reason.CustomerErased:  "the customer's personal data was erased",
	}[r]
}

// whyRejected is why a record became a dead letter.
func whyRejected(r reason.Reason) string {
	return map[reason.Reason]string{
		reason.Malformed:          "the record can't be read",
		reason.UnknownStore:       "its store is not configured",
		reason.CustomerUnknown:    "nobody knows its customer",
		reason.CustomerUnreadable: "Recharge's answer is no customer",
		reason.ParkedRecordGone:   "it waited for longer than records are kept",
		reason.TooOld:             "it is too old to be processed again",
		reason.TooLarge:           "what it becomes is too large for Kafka",
		reason.Refused:            "the destination refused it",
		reason.Panic:              "processing it failed: a fault of ours",
	}[r]
}
