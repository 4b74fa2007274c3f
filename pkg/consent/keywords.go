package consent

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Meaning is what the reply to a text asks for.
type Meaning string

// The meanings; "" for a reply without a keyword.
const (
	MeansOptOut Meaning = "opt_out"
	MeansOptIn  Meaning = "opt_in"
	MeansHelp   Meaning = "help"
)

// keyword is a row of the table of keywords.
type keyword struct {
	words   string // in lower case, without punctuation
	meaning Meaning
	begins  bool // a reply that goes on after the keyword means the same
}

// keywords are those of carriers and providers, and those that US law names. In doubt a reply is an opt-out, so a longer reply that begins
// with such a word is one, too. What opts in or asks for help must be the whole reply: "yes, where is my parcel?" is no consent.
//
//	stop, quit, end, revoke, opt out, cancel, unsubscribe        47 CFR 64.1200(a)(10)
//	stopall, optout; start, yes, unstop; help, info              https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out.md
//	stop all                                                     https://developers.telnyx.com
//	arret (French), td, remove, opt-out                          https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords-required.html
//	unsub, stop messaging                                        https://help.recart.com/en/articles/5905600-unsubscribe-from-sms-messages
func keywords() []keyword {
	return []keyword{
		{"stop", MeansOptOut, true},
		{"stopall", MeansOptOut, true},
		{"quit", MeansOptOut, true},
		{"end", MeansOptOut, true},
		{"revoke", MeansOptOut, true},
		{"optout", MeansOptOut, true},
		{"opt out", MeansOptOut, true},
		{"cancel", MeansOptOut, true},
		{"unsubscribe", MeansOptOut, true},
		{"unsub", MeansOptOut, true},
		{"arret", MeansOptOut, true},
		{"remove", MeansOptOut, true},
		{"td", MeansOptOut, false},
		{"start", MeansOptIn, false},
		{"yes", MeansOptIn, false},
		{"unstop", MeansOptIn, false},
		{"help", MeansHelp, false},
		{"info", MeansHelp, false},
	}
}

// Keywords returns the keywords of a meaning.
func Keywords(of Meaning) (words []string) {
	for _, k := range keywords() {
		if k.meaning == of {
			words = append(words, k.words)
		}
	}
	return words
}

// Read returns the meaning of a reply and its keyword. It ignores case, accents, punctuation, emoji and invisible characters.
func Read(reply string) (Meaning, string) {
	words := wordsOf(reply)
	for _, k := range keywords() {
		if words == k.words || k.begins && strings.HasPrefix(words, k.words+" ") {
			return k.meaning, k.words
		}
	}
	return "", ""
}

// maxReply is the part of a reply that is read, in bytes.
const maxReply = 400

// wordsOf returns the words of a reply in lower case, with one space between them: its letters and digits, without accents. Letters
// that stand alone are one word, as in S.T.O.P.
func wordsOf(reply string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return ' '
	}, norm.NFKD.String(strings.ToValidUTF8(reply[:min(len(reply), maxReply)], "")))
	words := strings.Fields(plain)
	if !slices.ContainsFunc(words, func(word string) bool { return len(word) > 1 }) {
		return strings.Join(words, "")
	}
	return strings.Join(words, " ")
}
