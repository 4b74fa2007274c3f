package flow_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

func TestSegments(t *testing.T) {
	tests := []struct {
		name, text string
		encoding   flow.Encoding
		segments   int
	}{
		{"nothing", "", flow.GSM7, 0},
		{"one", "a", flow.GSM7, 1},
		{"160 in one", strings.Repeat("a", 160), flow.GSM7, 1},
		{"161 in two", strings.Repeat("a", 161), flow.GSM7, 2},
		{"153 in each", strings.Repeat("a", 306), flow.GSM7, 2},
		{"one more", strings.Repeat("a", 307), flow.GSM7, 3},
		{"signs that count twice", strings.Repeat("€", 80), flow.GSM7, 1},
		{"one more of them", strings.Repeat("€", 80) + "a", flow.GSM7, 2},
		{"a pair is not split", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), flow.GSM7, 3},
		{"letters of GSM-7", "àèéìòùÄÖÑÜäöñüßÅåØøÆæÇ£¥§¿¡ΔΦΓΛΩΠΨΣΘΞ", flow.GSM7, 1},
		{"all that count twice", "^{}\\[~]|€\f", flow.GSM7, 1},
		{"70 in one", strings.Repeat("ж", 70), flow.UCS2, 1},
		{"71 in two", strings.Repeat("ж", 71), flow.UCS2, 2},
		{"67 in each", strings.Repeat("ж", 134), flow.UCS2, 2},
		{"one more than 67 in each", strings.Repeat("ж", 135), flow.UCS2, 3},
		{"a smart quote makes three of one", strings.Repeat("a", 152) + "’", flow.UCS2, 3},
		{"backtick", "`", flow.UCS2, 1},
		{"small c with cedilla", "ç", flow.UCS2, 1},
		{"emoji count twice", strings.Repeat("\U0001F44D", 35), flow.UCS2, 1},
		{"one more emoji", strings.Repeat("\U0001F44D", 36), flow.UCS2, 2},
		{"a surrogate pair is not split", strings.Repeat("ж", 66) + "\U0001F44D" + strings.Repeat("ж", 66), flow.UCS2, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			encoding, segments := flow.Segments(tt.text)
			assert.Equal(t, tt.encoding, encoding)
			assert.Equal(t, tt.segments, segments)
		})
	}
}

func TestMoreTextNeverCostsLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, more := rapid.String().Draw(t, "text"), rapid.String().Draw(t, "more")
		_, short := flow.Segments(text)
		_, long := flow.Segments(text + more)
		if long < short {
			t.Fatalf("%d segments, with more text %d", short, long)
		}
	})
}

func TestNormalizeNeverCostsMore(t *testing.T) {
	tests := map[string]string{
		"It\u2019s \u201con\u201d\u00a0\u2014 now\u2026": "It's \"on\" - now...",
		"a\r\nb":                     "a\nb",
		"\ufeffa\u200bb\u00ad\x00":   "ab",
		"\U0001F468\u200d\U0001F469": "\U0001F468\u200d\U0001F469",
		"\n\na\n\n\nb\n":             "a\n\nb",
		"bad \xff UTF-8":             "bad UTF-8",
	}
	for text, want := range tests {
		assert.Equal(t, want, flow.Normalize(text))
	}
	rapid.Check(t, func(t *rapid.T) {
		once := flow.Normalize(rapid.String().Draw(t, "text"))
		if twice := flow.Normalize(once); twice != once {
			t.Fatalf("normalized %q, and again %q", once, twice)
		}
	})
}
