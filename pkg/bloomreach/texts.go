package bloomreach

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// What is kept of the texts of one answer.
const (
	maxTexts = 10
	maxText  = 300 // characters of each
)

// cleaner makes a text from outside fit for logs and errors.
type cleaner struct {
	secrets *strings.Replacer
}

// newCleaner replaces the longest secret first, in case one begins like another.
func newCleaner(secrets []string) cleaner {
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(secrets))
	for _, secret := range secrets {
		pairs = append(pairs, secret, "***")
	}
	return cleaner{secrets: strings.NewReplacer(pairs...)}
}

// text returns s on one line, at most maxText characters, without secrets and without words that may be an e-mail
// address.
func (c cleaner) text(s string) string {
	words := strings.FieldsFunc(c.secrets.Replace(strings.ToValidUTF8(s, "?")), blank)
	for i, word := range words {
		if strings.Contains(word, "@") {
			words[i] = "***"
		}
	}
	runes := []rune(strings.Join(words, " "))
	return string(runes[:min(len(runes), maxText)])
}

func blank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// texts cleans the first maxTexts of them.
func (c cleaner) texts(all []string) []string {
	cleaned := make([]string, min(len(all), maxTexts))
	for i := range cleaned {
		cleaned[i] = c.text(all[i])
	}
	return cleaned
}

// collectTexts adds every string in a decoded JSON value, objects in the order of their keys.
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

// appendText adds s, unless there is nothing in it.
func appendText(found []string, s string) []string {
	if strings.TrimFunc(s, blank) == "" {
		return found
	}
	return append(found, s)
}

// parseObject returns the members of a JSON object, or nil when value is anything else.
func parseObject(value []byte) map[string]json.RawMessage {
	var parts map[string]json.RawMessage
	if json.Unmarshal(value, &parts) != nil {
		return nil
	}
	return parts
}

// parseList returns the elements of a JSON array, or nil when value is anything else.
func parseList(value []byte) []json.RawMessage {
	var elements []json.RawMessage
	if json.Unmarshal(value, &elements) != nil {
		return nil
	}
	return elements
}
