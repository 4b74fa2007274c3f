package sms

import (
	_ "embed"
	"slices"
	"sort"
	"strings"

	"github.com/nyaruka/phonenumbers/v2"
	"golang.org/x/text/language"

	"github.com/rechargeflow/rechargeflow/pkg/fold"
)

// countries has one line per name of a country, sorted: the key of the name, a blank, the code. TestCountriesAreUpToDate writes it
// from the names of Unicode's CLDR in all languages and from testdata/countries.txt, which has what the CLDR lacks.
//
//go:embed countries.txt
var countries string

// Region returns the ISO 3166 alpha-2 code of a country, "" for an unknown one. The country is a code of two letters ("US", as in
// Recharge API 2021-11) or three, or a name in any language ("United States", as in 2021-01). Upper and lower case, accents,
// punctuation and the order of the parts ("Moldova, Republic of") make no difference.
func Region(country string) string {
	if code := regionOfCode(country); code != "" {
		return code
	}
	if code := regionOfName(country); code != "" {
		return code
	}
	return regionOfParts(country)
}

// regionOfCode finds a country by its code. Points are ignored: "U.S.A.".
func regionOfCode(code string) string {
	code = strings.ToUpper(strings.Join(strings.Fields(strings.ReplaceAll(code, ".", "")), ""))
	if len(code) < 2 || len(code) > 3 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return ""
	}
	region, err := language.ParseRegion(code)
	if err != nil || !phonenumbers.GetSupportedRegions()[region.String()] {
		return ""
	}
	return region.String()
}

// regionOfName finds a country by its name, or by its name after its form of state.
func regionOfName(name string) string {
	words := nameWords(name)
	if code := regionOfKey(words); code != "" {
		return code
	}
	for _, form := range formsOfState() {
		if n := len(form); len(words) > n && slices.Equal(words[:n], form) {
			return regionOfKey(words[n:])
		}
	}
	return ""
}

// formsOfState begin the long name of a country: "Federal Republic of Germany". Names that are found only with their form, such as
// "Republic of China", are in the list.
func formsOfState() [][]string {
	var forms [][]string
	for _, form := range []string{
		"republic of", "federal republic of", "islamic republic of", "united republic of", "cooperative republic of", "kingdom of",
		"principality of", "commonwealth of", "sultanate of", "grand duchy of",
	} {
		forms = append(forms, strings.Fields(form))
	}
	return forms
}

// regionOfParts finds a country whose name has several parts: "Tanzania, United Republic of" is read as "United Republic of
// Tanzania"; the parts of "Deutschland (Germany)" and "England, UK" are the same country.
func regionOfParts(name string) string {
	parts := strings.FieldsFunc(strings.ReplaceAll(name, " - ", "/"), func(r rune) bool { return strings.ContainsRune(",;()[]/|（）", r) })
	parts = slices.DeleteFunc(parts, func(part string) bool { return len(nameWords(part)) == 0 })
	if len(parts) < 2 {
		return ""
	}
	if code := regionOfName(strings.Join(append(slices.Clone(parts[1:]), parts[0]), " ")); code != "" {
		return code
	}
	first := regionOfPart(parts[0])
	for _, part := range parts[1:] {
		if regionOfPart(part) != first {
			return ""
		}
	}
	return first
}

func regionOfPart(part string) string {
	if code := regionOfCode(part); code != "" {
		return code
	}
	return regionOfName(part)
}

// nameWords returns the words that distinguish a name from others.
func nameWords(name string) []string {
	words := fold.Words(name)
	for i, word := range words {
		if word == "st" {
			words[i] = "saint"
		}
	}
	return slices.DeleteFunc(words, func(word string) bool { return word == "the" || word == "and" })
}

// regionOfKey searches the list of countries.
func regionOfKey(words []string) string {
	prefix := strings.Join(words, "") + " "
	at := sort.Search(len(countries), func(i int) bool { return lineAt(i) >= prefix })
	if code, found := strings.CutPrefix(lineAt(at), prefix); found && len(words) > 0 {
		return code
	}
	return ""
}

// lineAt returns the line around a byte of the list of countries.
func lineAt(i int) string {
	start := strings.LastIndexByte(countries[:i], '\n') + 1
	line, _, _ := strings.Cut(countries[start:], "\n")
	return line
}
