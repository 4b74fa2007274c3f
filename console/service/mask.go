package service

import (
	"encoding/json"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

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
