package flow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

func TestWarnings(t *testing.T) {
	assert.Empty(t, flow.Warnings(defaults(t)))
	cheap := "Schöne Grüße, {{ first_name }}! Preis: 5 € — bis bald…"
	for text, want := range map[string]string{
		cheap:                    "",
		"Paid ✨":                 "", // one part with it, too
		"x ✨ {{ first_name }}":   "", // 70 characters at most
		cheap + cheap:            "",
		"✨ 🎉 ✨ " + cheap + cheap: "has ✨ 🎉: an SMS with it holds 70 characters in place of 160, so this text is billed as 2 in place of 1 with sample values",
		"❤️ 👨‍👩‍👧 " + cheap + cheap: "has ❤ 👨 👩 👧: an SMS with it holds 70 characters in place of 160, so this text is billed as 3 in place of 1 with sample values",
		"{{ nope }} ✨": "", // Check reports it
	} {
		warnings := flow.Warnings(with(t, flow.ChargePaid, func(f *flow.Flow) { f.Text = text }))
		if want == "" {
			assert.Empty(t, warnings, text)
			continue
		}
		require.Len(t, warnings, 1, text)
		assert.Equal(t, "flow charge_paid: text: "+want, warnings[0].Error())
	}
}
