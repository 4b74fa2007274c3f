package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// checkCollector reports an endpoint with the path that is appended, and warns of secrets in headers that are sent by HTTP.
func (l *loader) checkCollector(t Tracing) {
	if base, found := strings.CutSuffix(strings.TrimRight(t.Endpoint, "/"), "/v1/traces"); found {
		l.fault(l.root, "tracing.endpoint", "ends in /v1/traces, which is appended; expected %s", quoted(base))
	}
	if u, err := url.Parse(t.Endpoint); err == nil && u.Scheme == "http" && len(t.Headers) > 0 && !isPrivate(u.Hostname()) {
		l.warnings.add(l.root.where("tracing.endpoint"), "tracing.endpoint",
			"http sends tracing.headers unencrypted; use https unless the network to %s is private", u.Hostname())
	}
}

// checkDestinations warns of destinations that are reached by HTTP over networks that may not be private, and of names that are
// reserved for examples.
func (l *loader) checkDestinations(s *scope) {
	for _, path := range []string{
		"recharge.api_url", "bloomreach.url", "sms.webhook.url", "sms.twilio.api_url", "sms.telnyx.api_url", "sms.klaviyo.api_url", "sms.postscript.api_url",
		"sms.attentive.api_url",
	} {
		given, _ := s.given(path)
		text, _ := given.value.(string)
		u, err := url.Parse(text)
		if err != nil || text == "" || s.distrusted[path] {
			continue
		}
		if u.Scheme == "http" && !isPrivate(u.Hostname()) {
			l.warnings.add(s.where(path), s.label+path,
				"http sends credentials and personal data unencrypted; use https unless the network to %s is private", u.Hostname())
		}
		if isReserved(u.Hostname()) {
			l.warnings.add(s.where(path), s.label+path, "%s is a name for examples (RFC 2606), which no server has; expected your own", u.Hostname())
		}
	}
}

// checkProjects warns of stores that write the same customer properties to the same profiles: a customer of both has the values of the
// store that wrote last.
func (l *loader) checkProjects(stores []Store) {
	for i, store := range stores {
		for _, other := range stores[:i] {
			if store.profiles() == [4]string{} || store.profiles() != other.profiles() {
				continue
			}
			both := slices.DeleteFunc(slices.Clone(store.properties()), func(name string) bool { return !slices.Contains(other.properties(), name) })
			if len(both) > 0 {
				l.warnings.add(l.stores[i].where("bloomreach.project"), l.stores[i].label+"bloomreach.project",
					"store %s writes %s to the profiles of this project, too: a customer of both has the values of the store that wrote last; set active_property and bloomreach.profile in one of them only",
					other.Name, strings.Join(both, ", "))
			}
		}
	}
}

// checkReplicas warns of stores that share the limit of an address and divide it by different numbers of processes.
func (l *loader) checkReplicas(stores []Store) {
	for i, store := range stores {
		for _, other := range stores[:i] {
			address, replicas := store.limitedAddress()
			if shared, others := other.limitedAddress(); address != "" && address == shared && replicas != others {
				l.warnings.add(l.stores[i].where("bloomreach.replicas"), l.stores[i].label+"bloomreach.replicas",
					"store %s has %d and the same bloomreach.url, whose limit is divided by the larger number; set the same in both", other.Name, others)
			}
		}
	}
}

// isPrivate reports whether a host can only be this machine or one in a private network: a private address, or a name without
// a dot, such as those of containers.
func isPrivate(host string) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return !strings.Contains(host, ".")
	}
	return ip.IsLoopback() || ip.IsPrivate()
}

// isReserved reports whether a host is in a domain that is reserved for examples (https://www.rfc-editor.org/rfc/rfc2606).
func isReserved(host string) bool {
	return slices.ContainsFunc([]string{".example", ".invalid", ".example.com", ".example.net", ".example.org"}, func(domain string) bool {
		return strings.HasSuffix("."+host, domain)
	})
}
