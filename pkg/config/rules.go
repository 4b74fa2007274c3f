package config

import "slices"

// checkRules reports what one key alone cannot tell.
func (l *loader) checkRules(c Config) {
	l.checkRequired(l.root)
	if c.Gateway.Listen == c.Admin.Listen {
		l.fault(l.root, "admin.listen", "given %s, the same as gateway.listen; expected an address of its own", quoted(c.Admin.Listen))
	}
	l.checkKafka(c.Kafka)
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
		l.checkRecharge(s, store)
		l.checkBloomreach(s, store.Bloomreach)
		l.checkSMS(s, store.SMS)
	}
}

func (l *loader) checkRequired(s *scope) {
	for _, k := range s.keys {
		if k.Required && s.isEmpty(k.Path) {
			l.missing(s, k.Path, "")
		}
	}
}

// checkRecharge asks for the API token wherever the transformer may have to look a customer up.
func (l *loader) checkRecharge(s *scope, store Store) {
	if store.Recharge.Token != "" {
		return
	}
	if store.CustomerID == CustomerEmail && !s.distrusted["customer_id"] {
		l.missing(s, "recharge.token", " (customer_id is email, and where a webhook lacks the e-mail the customer is looked up)")
	} else if store.SMS.Driver != SMSNone {
		l.missing(s, "recharge.token", " (sms.driver is set, and where a webhook lacks the phone number the customer is looked up)")
	}
}

func (l *loader) checkBloomreach(s *scope, b Bloomreach) {
	if !b.Enabled {
		return
	}
	if b.URL == "" {
		l.missing(s, "bloomreach.url", " (or set bloomreach.enabled to false)")
	}
	if b.Project == "" {
		l.missing(s, "bloomreach.project", " (or set bloomreach.enabled to false)")
	}
	l.checkCredentials(s, b)
}

func (l *loader) checkCredentials(s *scope, b Bloomreach) {
	for _, path := range []string{"bloomreach.token", "bloomreach.key_id", "bloomreach.secret"} {
		if s.distrusted[path] {
			return
		}
	}
	switch isPrivate := b.KeyID != "" || b.Secret != ""; {
	case b.Token != "" && isPrivate:
		l.fault(s, "bloomreach.token", "given together with key_id or secret; expected key_id and secret, or token alone")
	case b.Token != "":
	case !isPrivate:
		l.missing(s, "bloomreach.key_id", " (with bloomreach.secret; or bloomreach.token alone)")
	case b.KeyID == "":
		l.missing(s, "bloomreach.key_id", " (it goes with bloomreach.secret)")
	case b.Secret == "":
		l.missing(s, "bloomreach.secret", " (it goes with bloomreach.key_id)")
	}
}

func (l *loader) checkSMS(s *scope, m SMS) {
	if m.Driver != SMSWebhook {
		return
	}
	if m.URL == "" {
		l.missing(s, "sms.url", " (sms.driver is webhook)")
	}
	if m.Secret == "" {
		l.missing(s, "sms.secret", " (sms.driver is webhook)")
	}
}

func (l *loader) checkNeed(need Need, path string, c Config) {
	if need != NeedStores {
		return
	}
	for i, store := range c.Stores {
		l.checkPlaceholders(l.stores[i], store)
	}
	if len(l.stores) > 0 {
		return
	}
	if path == "" {
		l.fault(l.root, "stores", "none configured; name a file that lists one with -config or RECHARGEFLOW_CONFIG, see configs/minimal.yaml")
		return
	}
	l.fault(l.root, "stores", "none configured; add one with \"stores:\" and \"- name: acme\" below it, see configs/minimal.yaml")
}

// placeholder stands in the example files where a secret, or the id of one, belongs. Whoever has read them knows it.
const placeholder = "change-me"

func (l *loader) checkPlaceholders(s *scope, store Store) {
	for path, secrets := range map[string][]Secret{
		"recharge.secrets": store.Recharge.Secrets, "recharge.token": {store.Recharge.Token},
		"bloomreach.project": {store.Bloomreach.Project}, "bloomreach.token": {store.Bloomreach.Token},
		"bloomreach.key_id": {Secret(store.Bloomreach.KeyID)}, "bloomreach.secret": {store.Bloomreach.Secret},
		"sms.secret": {store.SMS.Secret},
	} {
		if slices.Contains(secrets, placeholder) {
			l.fault(s, path, "is still the placeholder of the example; expected your own")
		}
	}
}

func (l *loader) missing(s *scope, path, because string) {
	k, _ := s.key(path)
	l.fault(s, path, "missing%s. %s", because, k.Doc)
}

// fault reports a key once: what is distrusted already has its fault.
func (l *loader) fault(s *scope, path, format string, args ...any) {
	if s.distrusted[path] {
		return
	}
	s.distrust(path)
	l.faults.add(s.where(path), s.label+path, format, args...)
}

// isEmpty tells whether neither the file nor the environment give a value.
func (s *scope) isEmpty(path string) bool {
	given, ok := s.env[path]
	if !ok {
		given, ok = s.file[path]
	}
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
