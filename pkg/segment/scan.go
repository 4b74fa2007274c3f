package segment

import (
	"strings"
	"unicode"
)

// scan returns the words of a text, in lower case, and its parentheses.
func scan(text string) (words []string) {
	word := ""
	end := func() {
		if word != "" {
			words = append(words, strings.ToLower(word))
		}
		word = ""
	}
	for _, r := range text {
		switch {
		case r == '(' || r == ')':
			end()
			words = append(words, string(r))
		case unicode.IsSpace(r):
			end()
		default:
			word += string(r)
		}
	}
	end()
	return words
}
