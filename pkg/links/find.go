package links

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// span is the place of a URL in a text.
type span struct{ from, to int }

// find returns the places of the http and https URLs in a text. A URL ends before white space, quotes, angle brackets and other characters
// that URLs do not have, and does not include the punctuation after it or a bracket that it does not open.
func find(text string) (found []span) {
	for from := 0; from < len(text); {
		begin := next(text, from)
		if begin < 0 {
			return found
		}
		end := begin + length(text[begin:])
		if IsTarget(text[begin:end]) && !continues(text[:begin]) {
			found = append(found, span{begin, end})
		}
		from = max(end, begin+1)
	}
	return found
}

// next returns where the next scheme is, -1 if there is none.
func next(text string, from int) int {
	for i := from; i < len(text); i++ {
		if text[i] != 'h' && text[i] != 'H' {
			continue
		}
		for _, scheme := range []string{"http://", "https://"} {
			if len(text)-i >= len(scheme) && strings.EqualFold(text[i:i+len(scheme)], scheme) {
				return i
			}
		}
	}
	return -1
}

// continues reports whether a text ends in a character that belongs to what follows it. Scripts that do without spaces don't.
func continues(before string) bool {
	return before != "" && strings.IndexByte(alphabet+"_@/=&?", before[len(before)-1]) >= 0
}

// length returns the bytes of the URL with which a text begins.
func length(text string) int {
	end := len(text)
	for i, r := range text {
		if !isURLCharacter(r) {
			end = i
			break
		}
	}
	return len(withoutPunctuation(text[:end]))
}

// isURLCharacter reports a character of RFC 3986, or a letter, digit or mark of any script, which browsers accept.
func isURLCharacter(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r != 0x7f && !strings.ContainsRune("\"<>\\^`{|}", r)
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}

// withoutPunctuation removes what ends a sentence or closes a bracket that the URL does not open.
func withoutPunctuation(u string) string {
	for u != "" {
		last := u[len(u)-1]
		opening, closes := map[byte]string{')': "(", ']': "["}[last]
		switch {
		case strings.IndexByte(".,;:!?'", last) >= 0:
		case closes && strings.Count(u, opening) < strings.Count(u, string(last)):
		default:
			return u
		}
		u = u[:len(u)-1]
	}
	return u
}

// IsTarget reports whether a short link may lead to a URL: http or https, with a host, without a user, on one line.
func IsTarget(target string) bool {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	return u.Hostname() != "" && u.User == nil && u.Opaque == "" && strings.IndexFunc(target, func(r rune) bool { return !isURLCharacter(r) }) < 0
}

// hostOf returns the host of a URL in lower case, with its port.
func hostOf(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}
