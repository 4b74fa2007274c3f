package config

import (
	"net"
	"slices"
)

// checkRules reports broken rules across keys.
func (l *loader) checkRules(c Config) {
	l.checkRequired(l.root)
	l.checkListen(c)
	l.checkKafka(c.Kafka)
	l.checkEmbedded(c)
	l.checkCollector(c.Tracing)
	l.checkConsole(c.Console)
	first := map[string]string{}
	for i, store := range c.Stores {
		s := l.stores[i]
		if at, twice := first[store.Name]; twice {
			l.fault(s, "name", "given %s, which %s has already; expected a name of its own", quoted(store.Name), at)
		}
		if store.Name != "" {
			first[store.Name] = s.where("name")
		}
		l.checkRequired(s)
		l.checkStore(s, store)
		l.checkDestinations(s)
	}
	l.checkProjects(c.Stores)
	l.checkReplicas(c.Stores)
}

// checkListen reports addresses that another part of the process listens on.
func (l *loader) checkListen(c Config) {
	if clash(c.Gateway.Listen, c.Admin.Listen) {
		l.fault(l.root, "admin.listen", "given %s, which is taken by gateway.listen (%s); expected an address of its own", quoted(c.Admin.Listen), quoted(c.Gateway.Listen))
	}
	type port struct {
		key, address string
		runs         bool
	}
	taken := []port{{"gateway.listen", c.Gateway.Listen, l.runs("gateway")}, {"admin.listen", c.Admin.Listen, true}}
	for _, p := range []port{{"links.listen", c.Links.Listen, c.ShortensLinks() && l.runs("links")}, {"console.listen", c.Console.Listen, l.runs("console")}} {
		for _, other := range taken {
			if p.runs && other.runs && clash(p.address, other.address) {
				l.fault(l.root, p.key, "given %s, which is taken by %s (%s); expected an address of its own", quoted(p.address), other.key, quoted(other.address))
			}
		}
		taken = append(taken, p)
	}
}

// clash reports whether two addresses can't be listened on by one process. A host that is empty stands for all; port 0 for any that
// is free.
func clash(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	return errA == nil && errB == nil && portA == portB && portA != "0" && (hostA == hostB || hostA == "" || hostB == "")
}

func (l *loader) checkRequired(s *scope) {
	for _, k := range s.keys {
		if k.Required && l.needs(s, k) && s.isEmpty(k.Path) {
			l.missing(s, k.Path, "")
		}
	}
}

// runs reports whether a key of roles is used: by every process if there are none, or by a role that this process runs.
func (l *loader) runs(roles ...string) bool {
	return len(roles) == 0 || slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(l.roles, role) })
}

// needs reports whether this process uses a key. The transformer uses the secrets only to make the addresses of webhooks.
func (l *loader) needs(s *scope, k Key) bool {
	if k.Path == "recharge.secrets" && !l.runs("gateway") {
		return l.runs("transformer") && !s.isEmpty("recharge.webhook_url")
	}
	return l.runs(k.Roles...)
}

// checkStores requires a store, and values in place of placeholders, for a process that runs roles.
func (l *loader) checkStores(path string) {
	if len(l.roles) == 0 {
		return
	}
	for _, s := range append(l.stores, l.root) {
		l.checkPlaceholders(s)
	}
	l.checkReserved()
	if len(l.stores) > 0 {
		return
	}
	if path == "" {
		l.fault(l.root, "stores", "none configured; name a file that lists one with --config or RECHARGEFLOW_CONFIG, see configs/minimal.yaml")
		return
	}
	l.fault(l.root, "stores", "none configured; add one with \"stores:\" and \"- name: acme\" below it, see configs/minimal.yaml")
}

func (l *loader) missing(s *scope, path, because string) {
	k, _ := s.key(path)
	l.fault(s, path, "missing%s. %s", because, k.Doc)
}

// fault reports a key unless it already has a fault.
func (l *loader) fault(s *scope, path, format string, args ...any) {
	if s.distrusted[path] {
		return
	}
	s.distrust(path)
	l.faults.add(s.where(path), s.label+path, format, args...)
}

// isEmpty reports whether neither the file nor the environment sets a value.
func (s *scope) isEmpty(path string) bool {
	given, ok := s.given(path)
	if !ok {
		return true
	}
	switch v := given.value.(type) {
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	default:
		return false
	}
}
