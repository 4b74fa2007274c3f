package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// What examples and manuals show in place of one's own value: change-me, <your token>, YOUR-INSTANCE, your-domain.
const (
	wholePlaceholder = `(?i)^(change[-_ ]?me|todo|x{3,}|\.\.\.|<[^<>]+>|your[-_ ][a-z_ -]+)$`
	hostPlaceholder  = `[<>]|YOUR[-_]|(?i:\byour[-_](instance|project|domain|host|shop|store|api|id)\b)`
)

// checkPlaceholders reports secrets, ids and addresses that were not replaced by one's own.
func (l *loader) checkPlaceholders(s *scope) {
	whole, host := regexp.MustCompile(wholePlaceholder), regexp.MustCompile(hostPlaceholder)
	for _, k := range s.keys {
		given, _ := s.given(k.Path)
		text, _ := given.value.(string)
		list, _ := given.value.([]string)
		found := false
		switch {
		case !l.needs(s, k):
		case k.Secret, strings.HasSuffix(k.Path, "_id"):
			found = slices.ContainsFunc(append(list, text), whole.MatchString)
		case k.isURL():
			found = host.MatchString(hostOf(text))
		}
		if found {
			l.fault(s, k.Path, "is still the placeholder of an example; expected your own value")
		}
	}
}

func (k Key) isURL() bool { return k.check == "url" || k.check == "hook" || k.check == "template" }

// hostOf returns the host of a URL, "" if there is none.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// checkAPIPath reports a Bloomreach URL that contains the path of an API call: the client appends it. The URL is not quoted,
// because its path may contain the project token.
func (l *loader) checkAPIPath(s *scope, address string) {
	base, path, _ := strings.Cut(strings.TrimPrefix(address, "https://"), "/")
	for _, of := range []string{"track/", "data/", "projects/"} {
		if strings.Contains("/"+path+"/", "/"+of) {
			l.fault(s, "bloomreach.url", "contains the path of an API call; expected the base URL alone, such as https://%s", base)
			return
		}
	}
}
