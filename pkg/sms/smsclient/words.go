package smsclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"sort"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// words returns an error with the provider's words, without the number, the text and secrets; nil if there are none.
func (c *Client) words(answer string, m sms.Message) error {
	private := append(slices.Clone(c.options.Secrets), m.To, strings.TrimPrefix(m.To, "+"), echoed(answer, m.Body), echoed(answer, jsonText(m.Body)))
	private = append(private, privateValues(m)...)
	if quote := c.quoter.Quote(answer, append(private, m.Secrets...)...); quote != "" {
		return errors.New(quote)
	}
	return nil
}

// minPrivate is the shortest variable, in bytes, that is masked in an answer. A shorter one may be there by chance; a name is always masked.
const minPrivate = 4

// privateValues returns the variables that an answer must not be quoted with.
func privateValues(m sms.Message) (private []string) {
	if m.Values == nil {
		return nil
	}
	for name, value := range m.Values.Variables {
		if len(value) >= minPrivate || value != "" && strings.HasSuffix(name, "_name") {
			private = append(private, value, jsonText(value))
		}
	}
	return private
}

// minEcho is the shortest start of a text, in bytes, that is recognized in an answer. A shorter one may be there by chance.
const minEcho = 12

// echoed returns the longest start of a text that an answer contains, "" if it is short.
func echoed(answer, text string) string {
	n := sort.Search(len(text), func(n int) bool { return !strings.Contains(answer, text[:n+1]) })
	if n < minEcho {
		return ""
	}
	return text[:n]
}

// jsonText returns a text as it is inside a JSON string.
func jsonText(text string) string {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(text) != nil {
		return ""
	}
	quoted := strings.TrimSpace(encoded.String())
	return quoted[1 : len(quoted)-1]
}
