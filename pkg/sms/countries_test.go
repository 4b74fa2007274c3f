package sms

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite countries.txt")

const twoCountries = "-"

// countries.txt has the names of all countries that have phone numbers. A name of testdata/countries.txt wins over one of the CLDR,
// an English one over others, and a whole one over the beginning of "Myanmar (Burma)". A name that means two countries is left out.
func TestCountriesAreUpToDate(t *testing.T) {
	names, whole, beginnings := extraNames(t), make(map[string]string), make(map[string]string)
	merge(names, cldrNames(language.English, wholeName))
	for _, tag := range display.Supported.Tags() {
		join(whole, cldrNames(tag, wholeName))
		join(beginnings, cldrNames(tag, beginning))
	}
	merge(names, whole)
	merge(names, beginnings)
	lines := make([]string, 0, len(names))
	for key, code := range names {
		if code != twoCountries {
			lines = append(lines, key+" "+code+"\n")
		}
	}
	slices.Sort(lines)
	got := strings.Join(lines, "")
	if *update {
		require.NoError(t, os.WriteFile("countries.txt", []byte(got), 0o600))
		return
	}
	if got != countries { // whose diff is long
		assert.Fail(t, "countries.txt is not up to date: run the test with -update, and read the diff")
	}
}

func wholeName(name string) string { return name }

func beginning(name string) string {
	before, _, _ := strings.Cut(name, " (")
	return before
}

// merge adds the names that are not known yet.
func merge(names, more map[string]string) {
	for key, code := range more {
		if _, known := names[key]; !known {
			names[key] = code
		}
	}
}

// join adds names; those that are known for another country mean two.
func join(names, more map[string]string) {
	for key, code := range more {
		if known := names[key]; known != "" && known != code {
			code = twoCountries
		}
		names[key] = code
	}
}

// cldrNames maps the keys of a language's names to codes.
func cldrNames(tag language.Tag, part func(string) string) map[string]string {
	names, namer := make(map[string]string), display.Regions(tag)
	if namer == nil {
		return names
	}
	for code := range phonenumbers.GetSupportedRegions() {
		name := part(namer.Name(language.MustParseRegion(code)))
		if key := strings.Join(nameWords(name), ""); key != "" && name != code {
			join(names, map[string]string{key: code})
		}
	}
	return names
}

// Spellings of countries, and what they are. A case is a line of testdata/spellings.txt: the code, or - for an unknown country, and
// spellings between bars.
func TestRegionBySpellings(t *testing.T) {
	tried := 0
	for _, line := range linesOf(t, "testdata/spellings.txt") {
		code, list, _ := strings.Cut(line, " ")
		for spelling := range strings.SplitSeq(list, "|") {
			tried++
			assert.Equal(t, strings.Trim(code, "-"), Region(spelling), spelling)
		}
	}
	assert.Greater(t, tried, 250)
}

// A search of the list takes microseconds.
func BenchmarkRegion(b *testing.B) {
	for b.Loop() {
		Region("Korea, Democratic People's Republic Of")
	}
}

// extraNames reads testdata/countries.txt.
func extraNames(t *testing.T) map[string]string {
	names := make(map[string]string)
	for _, line := range linesOf(t, "testdata/countries.txt") {
		code, list, _ := strings.Cut(line, " ")
		for name := range strings.SplitSeq(list, "|") {
			key := strings.Join(nameWords(name), "")
			require.NotEmpty(t, key, name)
			if names[key] != "" {
				require.Equal(t, names[key], code, "%s means two countries", name)
			}
			names[key] = code
		}
	}
	return names
}

// linesOf returns the lines of a file without comments.
func linesOf(t *testing.T, path string) []string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(string(raw)), "\n"), func(line string) bool { return strings.HasPrefix(line, "#") })
}

// Every country with phone numbers is found by its name in many languages, typed in any way, unless the name means two countries.
func TestRegionByTheNamesOfTheCLDR(t *testing.T) {
	codes := slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions()))
	languages := []string{
		"en", "de", "fr", "es", "pt", "it", "nl", "da", "sv", "nb", "fi", "pl", "cs", "hu", "ro", "tr", "ru", "uk", "el", "ja", "zh", "zh-Hant", "ko",
		"vi", "th", "ar", "he", "hi",
	}
	typed := map[string]func(string) string{
		"as it is": strings.Clone, "upper case": strings.ToUpper, "lower case": strings.ToLower,
		"with blanks":  func(s string) string { return "  " + strings.ReplaceAll(s, " ", "  ") + "\t" },
		"with a point": func(s string) string { return s + "." }, "with an article": func(s string) string { return "The " + s },
	}
	owners, wins := ownersOf(display.Supported.Tags()), extraNames(t)
	merge(wins, cldrNames(language.English, wholeName))
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom(codes).Draw(t, "country")
		tag := language.MustParse(rapid.SampledFrom(languages).Draw(t, "language"))
		way := rapid.SampledFrom(slices.Sorted(maps.Keys(typed))).Draw(t, "typed")
		name := display.Regions(tag).Name(language.MustParseRegion(code))
		found, key := Region(typed[way](name)), strings.Join(nameWords(name), "")
		switch found {
		case code:
		case "":
			require.Greater(t, len(owners[key]), 1, "%s is not found", name)
		default:
			require.True(t, wins[key] == found || regionOfCode(name) == found, "%s is %s, found %s", name, code, found)
		}
	})
}

// ownersOf maps the key of each name to the countries that have it in any language.
func ownersOf(tags []language.Tag) map[string]map[string]bool {
	owners := make(map[string]map[string]bool)
	for _, tag := range tags {
		namer := display.Regions(tag)
		if namer == nil {
			continue
		}
		for code := range phonenumbers.GetSupportedRegions() {
			key := strings.Join(nameWords(namer.Name(language.MustParseRegion(code))), "")
			if owners[key] == nil {
				owners[key] = make(map[string]bool)
			}
			owners[key][code] = true
		}
	}
	return owners
}
