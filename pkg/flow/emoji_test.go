package flow_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

func TestCutEmoji(t *testing.T) {
	for text, want := range map[string]string{
		"Coffee \U0001F1E9\U0001F1EA":                   "Coffee \U0001F1E9\U0001F1EA",
		"Coffee \U0001F1E9":                             "Coffee",
		"\U0001F1E9\U0001F1EA\U0001F1EB... x":           "\U0001F1E9\U0001F1EA... x",
		"\U0001F1E9 \U0001F1EA":                         "",
		"\U0001F1E9\u200d\U0001F1EA":                    "",
		"Coffee \U0001F468\u200d\U0001F469":             "Coffee \U0001F468\u200d\U0001F469",
		"Coffee \U0001F468\u200d":                       "Coffee \U0001F468",
		"Coffee \U0001F468\u200d...":                    "Coffee \U0001F468...",
		"Coffee \U0001F468\u200d x":                     "Coffee \U0001F468 x",
		"Coffee\u200d":                                  "Coffee",
		"\u200dCoffee":                                  "Coffee",
		"Café\u200dx":                                   "Café" + "x",
		"Coffee \u2764\ufe0f":                           "Coffee \u2764\ufe0f",
		"\u2764\ufe0f\u200d\U0001F525":                  "\u2764\ufe0f\u200d\U0001F525",
		"\u2764\ufe0f\u200d":                            "\u2764\ufe0f",
		"Coffee \ufe0f":                                 "Coffee",
		"Coffee\ufe0f":                                  "Coffee",
		"1\ufe0f\u20e3 kg":                              "1\ufe0f\u20e3 kg",
		"1\ufe0f":                                       "1",
		"1\ufe0f kg":                                    "1 kg",
		"\u2764\ufe0f\ufe0f":                            "\u2764\ufe0f",
		"Coffee \ufffd":                                 "Coffee",
		"Cof\ufffdfee":                                  "Coffee",
		"e\ufffd\u0301":                                 "é",
		"e\U0001F1E9\u0301\u200dж":                      "éж",
		"e\U0001F1E9\u0301\ufe0f":                       "é",
		"क\u094d\u200dष":                                "क\u094d\u200dष",
		"\U0001F44D\U0001F3FD":                          "\U0001F44D\U0001F3FD",
		"\U0001F3F4\U000E0067\U000E0062\U000E007F goal": "\U0001F3F4 goal",
	} {
		got := flow.Normalize(text)
		assert.Equal(t, want, got, "%+q", text)
		assert.Equal(t, got, flow.Normalize(got), "%+q", text)
	}
}

// A title that is cut anywhere has no rest of an emoji: without a whole one the text stays in GSM-7.
func TestTitleCutAnywhere(t *testing.T) {
	emoji := []string{"\U0001F1E9\U0001F1EA", "\U0001F468\u200d\U0001F469\u200d\U0001F467", "\u2764\ufe0f\u200d\U0001F525", "1\ufe0f\u20e3", "\U0001F44D\U0001F3FD"}
	rapid.Check(t, func(t *rapid.T) {
		title := "Coffee " + strings.Join(rapid.SliceOfN(rapid.SampledFrom(emoji), 1, 4).Draw(t, "emoji"), rapid.SampledFrom([]string{"", " "}).Draw(t, "between"))
		whole := []rune(title)
		cut := string(whole[:rapid.IntRange(0, len(whole)).Draw(t, "cut at")])
		text := flow.Normalize(cut + rapid.SampledFrom([]string{"", "...", " is on."}).Draw(t, "after"))
		require.NotContains(t, text, "\ufffd")
		require.NotRegexp(t, `\x{200d}([\x00-\x7f]|$)`, text)
		require.NotRegexp(t, `[\x00-\x7f]\x{fe0f}([^\x{20e3}]|$)`, text)
		require.Regexp(t, `^([^\x{1F1E6}-\x{1F1FF}]|[\x{1F1E6}-\x{1F1FF}]{2})*$`, text)
		if strings.Trim(cut, "Cofe 1\U0001F1E9\ufe0f") == "" {
			encoding, _ := flow.Segments(text)
			require.Equal(t, flow.GSM7, encoding, "%+q", text)
		}
	})
}

// The filter truncate cuts between any two characters.
func TestTruncatedEmoji(t *testing.T) {
	title := "Tea \U0001F1E9\U0001F1EA\U0001F468\u200d\U0001F469 and more"
	for length, want := range map[string]string{
		"8": "Tea ...", "9": "Tea \U0001F1E9\U0001F1EA...", "10": "Tea \U0001F1E9\U0001F1EA\U0001F468...", "11": "Tea \U0001F1E9\U0001F1EA\U0001F468...",
		"12": "Tea \U0001F1E9\U0001F1EA\U0001F468\u200d\U0001F469...",
	} {
		got, err := render("{{ product_title | truncate: "+length+" }}", flow.Variables{Subscription: flow.Subscription{ProductTitle: title}})
		require.NoError(t, err)
		assert.Equal(t, want, got, length)
	}
}
