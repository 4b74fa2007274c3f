package service

import (
	"encoding/json"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"

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

// plain returns words of others with e-mails and numbers masked.
func (s *Service) plain(text string) string {
	if text == "" {
		return ""
	}
	return timeline.NewMasker(false).Text(text)
}

// maskName leaves the first letter of each part of a name.
func maskName(name string) string {
	parts := strings.Fields(name)
	for i, part := range parts {
		parts[i] = string([]rune(part)[:1]) + "***"
	}
	return strings.Join(parts, " ")
}

// maskJSON returns a JSON value in which only what has no personal data is left: numbers, and the texts of fields that are known to have none.
func maskJSON(value []byte) json.RawMessage {
	var v any
	if json.Unmarshal(value, &v) != nil {
		return nil
	}
	masked, _ := json.Marshal(maskValue("", v)) // what was decoded can be encoded
	return masked
}

func maskValue(field string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, each := range v {
			v[name] = maskValue(name, each)
		}
		return v
	case []any:
		for i, each := range v {
			v[i] = maskValue(field, each)
		}
		return v
	case string:
		return maskField(field, v)
	}
	return v
}

// maskField masks the text of a field by its name: e-mails and numbers wherever they are, and other personal data and secrets by where they are.
func maskField(field, text string) string {
	switch {
	case text == "":
		return text
	case strings.Contains(field, "phone"):
		return sms.Mask(text)
	case strings.Contains(field, "url"), strings.Contains(field, "link"), strings.Contains(field, "hash"), strings.Contains(field, "token"),
		strings.Contains(field, "address"), strings.Contains(field, "zip"), strings.Contains(field, "note"), strings.Contains(field, "comment"):
		return "***"
	case strings.HasSuffix(field, "_name") && !strings.HasPrefix(field, "product"), field == "name", field == "company":
		return maskName(text)
	case strings.HasSuffix(field, "_at"), strings.HasSuffix(field, "_date"), strings.HasSuffix(field, "id"), field == "timestamp":
		if strings.Contains(text, "@") {
			return timeline.NewMasker(false).Email(text)
		}
		return text // digits that are no number to call
	}
	return timeline.NewMasker(false).Text(text)
}
