package config

import (
	"net/url"
	"slices"
)

// checkConsole checks who may use the console.
func (l *loader) checkConsole(c Console) {
	if c.SessionIdle > c.SessionMax {
		l.fault(l.root, "console.session_idle", "given %s, which is longer than console.session_max (%s)", c.SessionIdle, c.SessionMax)
	}
	u, err := url.Parse(c.URL)
	if err == nil && u.Scheme == "http" && !isPrivate(u.Hostname()) {
		l.warnings.add(l.root.where("console.url"), "console.url", "http sends passwords and personal data unencrypted; use https unless the network to %s is private", u.Hostname())
	}
	if err == nil && len(u.Path) > 1 {
		l.fault(l.root, "console.url", "given %s, which has a path; expected the address of a host of its own", quoted(c.URL))
	}
	if c.OIDC.Issuer != "" && l.runs("console") {
		l.checkOIDC(c)
	}
}

// checkOIDC checks the provider that knows the people.
func (l *loader) checkOIDC(c Console) {
	o := c.OIDC
	if u, err := url.Parse(o.Issuer); err == nil && u.Scheme == "http" && !isPrivate(u.Hostname()) {
		l.fault(l.root, "console.oidc.issuer", "given %s; expected https: who can change its answers can log in as anybody", quoted(o.Issuer))
	}
	if o.ClientID == "" {
		l.missing(l.root, "console.oidc.client_id", " (it goes with console.oidc.issuer)")
	}
	if c.URL == "" {
		l.missing(l.root, "console.url", " (the provider sends people back to it)")
	}
	mapped := len(o.Viewers) + len(o.Editors) + len(o.Operators)
	switch {
	case o.DefaultRole == "" && mapped == 0:
		l.missing(l.root, "console.oidc.operators", " (nobody would have a role; or set viewers, editors or default_role)")
	case o.DefaultRole != "" && len(o.AllowedDomains) == 0:
		l.fault(l.root, "console.oidc.default_role", "given %s without console.oidc.allowed_domains, which lets in everybody whom the provider knows; expected their domains", quoted(o.DefaultRole))
	}
}

// ReservedNames are no names of stores: the console has pages of its own at these addresses.
func ReservedNames() []string {
	return []string{"access", "api", "deadletters", "go", "login", "logout", "pipeline"}
}

// checkReserved checks that the pages of each store have an address.
func (l *loader) checkReserved() {
	for _, s := range l.stores {
		if name := s.name(); slices.Contains(ReservedNames(), name) {
			l.fault(s, "name", "given %s, which is an address of the console; expected another name", quoted(name))
		}
	}
}
