package config

import (
	"net/url"
	"strings"
)

// maxLinksURL is the longest address of short links in bytes. A short link has 14 characters after it, and a text of one part 160.
const maxLinksURL = 60

// checkLinks checks the address of a store's short links.
func (l *loader) checkLinks(s *scope, m SMS) {
	const path = "sms.links.url"
	u, err := url.Parse(m.Links.URL)
	if err != nil || m.Links.URL == "" || s.distrusted[path] {
		return
	}
	switch {
	case strings.Trim(u.Path, "/") != "":
		l.fault(s, path, "given %s, which has a path; expected the address of a domain of its own, such as https://%s", quoted(m.Links.URL), u.Host)
	case len(m.Links.URL) > maxLinksURL:
		l.fault(s, path, "has %d characters, which every text pays for; expected at most %d", len(m.Links.URL), maxLinksURL)
	case u.Scheme == "http" && !isPrivate(u.Hostname()):
		l.fault(s, path, "given %s; expected https: a short link can lead to the account of a customer", quoted(m.Links.URL))
	default:
		l.warnOfLinks(s, m, u.Hostname())
	}
}

// warnOfLinks warns of short links that probably do not work as intended.
func (l *loader) warnOfLinks(s *scope, m SMS, host string) {
	const path = "sms.links.url"
	switch {
	case m.Mode == SMSTrigger:
		l.warnings.add(s.where(path), s.label+path, "has no effect with sms.mode trigger: the platform renders the texts, and shortens their links")
	case m.ShopURL == "":
		l.warnings.add(s.where(path), s.label+path, "a short link that has expired leads nowhere without sms.shop_url")
	case host == hostOf(m.ShopURL):
		l.warnings.add(s.where(path), s.label+path, "%s is the host of sms.shop_url; the role links needs a domain of its own, or a proxy that sends it the paths below /r/", host)
	}
}

// ShortensLinks reports whether a store has short links.
func (c Config) ShortensLinks() bool {
	for _, store := range c.Stores {
		if store.ShortensLinks() {
			return true
		}
	}
	return false
}

// ShortensLinks reports whether the store's texts have short links.
func (s Store) ShortensLinks() bool {
	return s.SMS.Driver != SMSNone && s.SMS.Mode != SMSTrigger && s.SMS.Links.URL != ""
}
