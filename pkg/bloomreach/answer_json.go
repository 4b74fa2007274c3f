package bloomreach

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// errorTexts returns the error texts of an object, in any of the shapes that Bloomreach sends:
//
//	{"message":"No commands"}
//	{"error":"Could not authenticate"}
//	{"errors":["At least one id should be specified."]}
//	{"errors":{"_global":["Customer does not exist"]}} and {"errors":{"code":404,"description":"..."}}
func errorTexts(parts map[string]json.RawMessage) []string {
	var found []string
	for _, key := range []string{"message", "error", "errors"} {
		var value any
		if json.Unmarshal(parts[key], &value) == nil {
			found = collectTexts(found, value)
		}
	}
	return found
}

// collectTexts appends every string of a decoded JSON value. Members of an object are in the order of their keys.
func collectTexts(found []string, value any) []string {
	switch v := value.(type) {
	case string:
		return appendText(found, v)
	case []any:
		for _, element := range v {
			found = collectTexts(found, element)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			found = collectTexts(found, v[key])
		}
	}
	return found
}

// appendText appends s, unless it is blank.
func appendText(found []string, s string) []string {
	if strings.TrimSpace(s) == "" {
		return found
	}
	return append(found, s)
}

// parseObject returns the members of a JSON object, or nil for any other value.
func parseObject(value []byte) map[string]json.RawMessage {
	var parts map[string]json.RawMessage
	if json.Unmarshal(value, &parts) != nil {
		return nil
	}
	return parts
}

// parseList returns the elements of a JSON array, or nil for any other value.
func parseList(value []byte) []json.RawMessage {
	var elements []json.RawMessage
	if json.Unmarshal(value, &elements) != nil {
		return nil
	}
	return elements
}
