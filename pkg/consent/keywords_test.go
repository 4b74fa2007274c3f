package consent_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
)

func TestRead(t *testing.T) {
	for reply, want := range map[string]consent.Meaning{
		"STOP": consent.MeansOptOut, "stop": consent.MeansOptOut, " Stop. ": consent.MeansOptOut, "STOP!!!": consent.MeansOptOut,
		"?stop?": consent.MeansOptOut, "@STOP": consent.MeansOptOut, "\"Stop\"": consent.MeansOptOut, "“STOP”": consent.MeansOptOut,
		"STOP 🛑": consent.MeansOptOut, "🛑STOP": consent.MeansOptOut, "ST\u200bOP": consent.MeansOptOut, "STOP\ufe0f": consent.MeansOptOut,
		"ＳＴＯＰ": consent.MeansOptOut, "S.T.O.P.": consent.MeansOptOut, "s t o p": consent.MeansOptOut, "STOP\nSent from my phone": consent.MeansOptOut,
		"STOPALL": consent.MeansOptOut, "stop all": consent.MeansOptOut, "STOP ALL.": consent.MeansOptOut, "Stop messaging": consent.MeansOptOut,
		"stop texting me": consent.MeansOptOut, "Stop, please": consent.MeansOptOut, "UNSUBSCRIBE": consent.MeansOptOut, "unsub": consent.MeansOptOut,
		"CANCEL": consent.MeansOptOut, "End": consent.MeansOptOut, "quit": consent.MeansOptOut, "REVOKE": consent.MeansOptOut,
		"OPTOUT": consent.MeansOptOut, "opt-out": consent.MeansOptOut, "Opt out": consent.MeansOptOut, "opt out of everything": consent.MeansOptOut,
		"ARRET": consent.MeansOptOut, "Arrêt": consent.MeansOptOut, "ARRE\u0302T": consent.MeansOptOut, "remove me": consent.MeansOptOut, "TD": consent.MeansOptOut,

		"START": consent.MeansOptIn, "Yes!": consent.MeansOptIn, "unstop": consent.MeansOptIn,
		"HELP": consent.MeansHelp, "info?": consent.MeansHelp,

		"": "", "   ": "", "…": "", "thanks": "", "Yes, where is my parcel?": "", "start tomorrow": "", "help me": "", "information": "",
		"don't stop": "", "please stop": "", "stopped": "", "nonstop": "", "bend": "", "ending": "", "td bank": "", "opt": "", "opt in": "", "out": "",
		"where can I cancel?": "", "Liked “Acme: your order ships tomorrow. Reply STOP to opt out”": "",
	} {
		meaning, keyword := consent.Read(reply)
		assert.Equal(t, want, meaning, "%q", reply)
		assert.Equal(t, want != "", keyword != "", "%q", reply)
		if want != "" {
			assert.Contains(t, consent.Keywords(want), keyword)
		}
	}
}

// What surrounds a keyword makes no difference. Nothing that comes from outside breaks the reader.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"", "STOP", "stop\xff", "S.T.O.P", "Arrêt", "ﷺ", strings.Repeat("a", 500), "🛑"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		meaning, keyword := consent.Read(reply)
		assert.Equal(t, meaning != "", keyword != "")
		assert.Contains(t, []consent.Meaning{"", consent.MeansOptOut, consent.MeansOptIn, consent.MeansHelp}, meaning)

		again, _ := consent.Read("  «!" + reply)
		if len(reply) < 100 {
			assert.Equal(t, meaning, again, "%q", reply)
		}
		after, word := consent.Read("Stop: " + reply)
		assert.Equal(t, consent.MeansOptOut, after)
		assert.NotEmpty(t, word)
	})
}
