package mask

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// hidden stands for what is not shown.
const hidden = "***"

// Text returns words of others with e-mails and numbers masked.
func Text(text string) string {
	if text == "" {
		return ""
	}
	return timeline.NewMasker(false).Text(text)
}

// Name leaves the first letter of each part of a name.
func Name(name string) string {
	parts := strings.Fields(name)
	for i, part := range parts {
		parts[i] = string([]rune(part)[:1]) + hidden
	}
	return strings.Join(parts, " ")
}

// JSON returns a JSON value in which only what has no personal data is left: numbers, and the texts of fields that are known to have none.
func JSON(value []byte) json.RawMessage {
	var v any
	if json.Unmarshal(value, &v) != nil {
		return nil
	}
	masked, _ := json.Marshal(jsonValue("", v)) // what was decoded can be encoded
	return masked
}

func jsonValue(field string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, each := range v {
			v[name] = jsonValue(name, each)
		}
		return v
	case []any:
		for i, each := range v {
			v[i] = jsonValue(field, each)
		}
		return v
	case string:
		return Field(field, v)
	}
	return v
}

// Field masks the text of a field by its name: e-mails and numbers wherever they are, and other personal data and secrets by where they are.
func Field(field, text string) string {
	switch {
	case text == "":
		return text
	case strings.Contains(field, "phone"):
		return sms.Mask(text)
	case strings.Contains(field, "url"), strings.Contains(field, "link"), strings.Contains(field, "hash"), strings.Contains(field, "token"),
		strings.Contains(field, "address"), strings.Contains(field, "zip"), strings.Contains(field, "note"), strings.Contains(field, "comment"),
		strings.Contains(field, "cancellation_reason"), strings.Contains(field, "city"):
		return hidden
	case strings.HasSuffix(field, "_name") && !strings.HasPrefix(field, "product"), field == "name", field == "company":
		return Name(text)
	case strings.HasSuffix(field, "_at"), strings.HasSuffix(field, "_date"), strings.HasSuffix(field, "id"), field == "timestamp":
		if strings.Contains(text, "@") {
			return timeline.NewMasker(false).Email(text)
		}
		return text // digits that are no number to call
	}
	return Text(text)
}

// Variables returns the values of a text that the destination renders with names masked, and without what the customer has written and their links.
func Variables(values map[string]string) map[string]string {
	masked := maps.Clone(values)
	for name, value := range masked {
		switch {
		case strings.HasSuffix(name, "first_name"), strings.HasSuffix(name, "last_name"):
			masked[name] = Name(value)
		case strings.HasSuffix(name, "_url"), strings.HasSuffix(name, "cancellation_reason"):
			masked[name] = hidden
		}
	}
	return masked
}
