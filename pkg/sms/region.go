package sms

import (
	"strings"

	"github.com/nyaruka/phonenumbers/v2"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Region returns the ISO 3166 alpha-2 code of a country given as that code ("US", Recharge API 2021-11) or by its English
// name ("United States", Recharge API 2021-01); "" when it is not known. Upper and lower case do not matter.
func Region(country string) string {
	country = strings.TrimSpace(country)
	regions := phonenumbers.GetSupportedRegions()
	if code := strings.ToUpper(country); regions[code] {
		return code
	}
	wanted := countryName(country)
	if code := otherNames()[wanted]; code != "" {
		return code
	}
	names := display.English.Regions()
	for code := range regions {
		region, err := language.ParseRegion(code)
		if err == nil && countryName(names.Name(region)) == wanted {
			return code
		}
	}
	return ""
}

// countryName reduces a name to what two spellings of it have in common.
func countryName(name string) string {
	name = strings.ToLower(name)
	for _, replace := range [][2]string{{"&", "and"}, {"st.", "saint"}, {"\u2019", "'"}} {
		name = strings.ReplaceAll(name, replace[0], replace[1])
	}
	return strings.TrimPrefix(strings.Join(strings.Fields(name), " "), "the ")
}

// otherNames lists names that shops use and Unicode's list of countries does not.
func otherNames() map[string]string {
	return map[string]string{
		"united states of america": "US", "usa": "US", "u.s.a.": "US", "u.s.": "US",
		"uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
		"korea, republic of": "KR", "republic of korea": "KR", "korea": "KR", "russian federation": "RU", "viet nam": "VN",
		"czech republic": "CZ", "turkey": "TR", "hong kong": "HK", "macao": "MO", "macau": "MO",
		"republic of ireland": "IE", "holland": "NL", "swaziland": "SZ", "macedonia": "MK", "burma": "MM", "myanmar": "MM",
		"ivory coast": "CI", "cape verde": "CV", "taiwan, province of china": "TW", "uae": "AE",
	}
}
