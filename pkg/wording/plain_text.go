package wording

import (
	"html"
	"regexp"
	"strings"
)

// Plain returns a title or a reason without HTML: entities are decoded once, then tags are removed. Shops write titles in
// HTML; a text message shows its source.
func Plain(source string) string {
	if !strings.ContainsAny(source, "&<") {
		return source
	}
	text := regexp.MustCompile(`&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]*);`).ReplaceAllStringFunc(source, decoded)
	text = regexp.MustCompile(`(?i)</?(?:br|p|div|li|ul|ol|h[1-6]|tr|td|th|hr)(?:\s[^<>]*)?/?>`).ReplaceAllString(text, " ")
	text = regexp.MustCompile(`(?s)<!--.*?-->|</?[A-Za-z][^<>]*>`).ReplaceAllString(text, "")
	return strings.Join(strings.Fields(text), " ")
}

// decoded decodes an entity. The library also decodes the beginning of a word: "&notebook;" would become "¬ebook;".
func decoded(entity string) string {
	text := html.UnescapeString(entity)
	if text != ";" && strings.HasSuffix(text, ";") {
		return entity
	}
	return text
}
