package registration

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// What differs between a registration and the wanted one.
const (
	DiffersScheme   = "scheme"                      // http in place of https, or the reverse
	DiffersTopic    = "topic of the address"        // the address is that of another topic
	DiffersNoToken  = "no address token"            // webhooks are accepted unless require_address_token is set
	DiffersOldToken = "address token of old secret" // refused once the secret is removed from recharge.secrets
	DiffersBadToken = "address token"               // of no secret of the store: every webhook is refused
	DiffersSpelling = "spelling of the address"     // such as a slash too many: webhooks are accepted
	DiffersObjects  = "included_objects"
)

// The parts of a path: webhooks, store, resource, action; and with the token.
const pathParts, pathPartsToToken = 4, 5

// owns reports whether an address is below that of the store's webhooks.
func (s Store) owns(address string) bool {
	parts, _, ok := s.split(address)
	return ok && len(parts) > 1 && parts[0] == "webhooks" && parts[1] == s.Name
}

// split returns the parts of an address's path below the store's URL, and whether its scheme is another. ok is false at another host or
// path.
func (s Store) split(address string) (parts []string, otherScheme, ok bool) {
	given, err := url.Parse(address)
	base, errBase := url.Parse(s.URL)
	if err != nil || errBase != nil || !sameHost(given, base) {
		return nil, false, false
	}
	path, prefix := admission.WithoutSlashes(given.Path)+"/", strings.TrimSuffix(admission.WithoutSlashes(base.Path), "/")+"/"
	below, ok := strings.CutPrefix(path, prefix)
	return strings.Split(strings.TrimSuffix(below, "/"), "/"), given.Scheme != base.Scheme, ok
}

// sameHost ignores the scheme where the ports are its own.
func sameHost(a, b *url.URL) bool {
	if !strings.EqualFold(a.Hostname(), b.Hostname()) {
		return false
	}
	return a.Port() == b.Port() || a.Scheme == b.Scheme && port(a) == port(b)
}

// addressDiffers returns why an address of ours is not the wanted one.
func (s Store) addressDiffers(wanted recharge.Registration, address string) []string {
	parts, otherScheme, ok := s.split(address)
	if !ok || address == wanted.Address {
		return nil
	}
	var differs []string
	if otherScheme {
		differs = append(differs, DiffersScheme)
	}
	if len(parts) < pathParts || strings.Join(parts[2:pathParts], "/") != string(wanted.Topic) {
		return append(differs, DiffersTopic)
	}
	if token := s.tokenDiffers(wanted.Topic, parts); token != "" {
		differs = append(differs, token)
	}
	if len(differs) == 0 {
		differs = []string{DiffersSpelling}
	}
	return differs
}

// tokenDiffers returns what is wrong with the token of a path, "" if it is that of the first secret.
func (s Store) tokenDiffers(topic recharge.Topic, parts []string) string {
	if len(parts) == pathParts {
		return DiffersNoToken
	}
	matching := slices.IndexFunc(s.Secrets, func(secret string) bool { return admission.Token(s.Name, topic, secret) == parts[pathParts] })
	switch {
	case len(parts) > pathPartsToToken || matching < 0:
		return DiffersBadToken
	case matching > 0:
		return DiffersOldToken
	}
	return ""
}

// port returns the port of a URL.
func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

// Shown returns an address for output. Of one of ours the token is masked, of a foreign one all but the host: its path may hold a secret of
// another application.
func (s Store) Shown(address string) string {
	given, err := url.Parse(address)
	if err != nil || given.Host == "" {
		return "***"
	}
	origin := given.Scheme + "://" + given.Host
	parts, _, _ := s.split(address)
	if !s.owns(address) {
		return origin + "/***"
	}
	base, _ := url.Parse(s.URL) // split has parsed it
	masked := admission.NewMasker().Mask(&http.Request{URL: &url.URL{Path: "/" + strings.Join(parts, "/")}})
	return origin + strings.TrimSuffix(base.Path, "/") + masked.URL.Path
}
