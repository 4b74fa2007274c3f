package links

import (
	"slices"
	"strings"
)

// Short is a short link in a text.
type Short struct {
	Code   Code
	Target string
}

// Shortener puts short links in the place of links.
type Shortener struct {
	// Base is the address of the short links, such as https://go.shop.example.
	Base string
	// Sources are the texts and links that the shop has set. Only URLs of a host that is in one of them are shortened: a URL in the name of
	// a customer must not get the shop's domain.
	Sources []string
	// Code returns the next code.
	Code func() Code
}

// Shorten returns a text with a short link in the place of each link, and the short links, each once. The rest of the text stays as it is.
func (s Shortener) Shorten(text string) (string, []Short) {
	hosts := s.hosts()
	var b strings.Builder
	var short []Short
	last := 0
	for _, at := range find(text) {
		target := text[at.from:at.to]
		if !slices.Contains(hosts, hostOf(target)) {
			continue
		}
		i := slices.IndexFunc(short, func(other Short) bool { return other.Target == target })
		if i < 0 {
			i = len(short)
			short = append(short, Short{Code: s.Code(), Target: target})
		}
		b.WriteString(text[last:at.from])
		b.WriteString(s.url(short[i].Code))
		last = at.to
	}
	b.WriteString(text[last:])
	return b.String(), short
}

// url returns a short link.
func (s Shortener) url(code Code) string {
	return strings.TrimRight(s.Base, "/") + Prefix + string(code)
}

// hosts returns the hosts of all URLs in the sources but that of the short links themselves.
func (s Shortener) hosts() (hosts []string) {
	for _, source := range s.Sources {
		for _, at := range find(source) {
			if host := hostOf(source[at.from:at.to]); host != hostOf(s.Base) {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}
