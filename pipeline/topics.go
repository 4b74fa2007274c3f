package pipeline

// Role is a part of the pipeline that can run in a process of its own.
type Role string

// The roles.
const (
	RoleGateway     Role = "gateway"
	RoleTransformer Role = "transformer"
	RoleTracking    Role = "tracking"
	RoleSMS         Role = "sms"
)

// Roles lists them in the order in which a webhook meets them.
func Roles() []Role {
	return []Role{RoleGateway, RoleTransformer, RoleTracking, RoleSMS}
}

// Topics names the topics under a prefix, "" for none.
type Topics struct {
	Prefix string
}

// Webhooks holds raw bodies.
func (t Topics) Webhooks() string { return t.Prefix + "recharge.webhooks" }

// Events holds tracking events and customer properties.
func (t Topics) Events() string { return t.Prefix + "recharge.events" }

// Triggers holds triggers of SMS flows and their revocations.
func (t Topics) Triggers() string { return t.Prefix + "recharge.sms-triggers" }

// Customers is the public table of customers.
func (t Topics) Customers() string { return t.Prefix + "recharge.customers" }

// Subscriptions is the public table of subscriptions.
func (t Topics) Subscriptions() string { return t.Prefix + "recharge.subscriptions" }

// State holds what the transformer remembers.
func (t Topics) State() string { return t.Prefix + "recharge.state" }

// DeadLetters holds what a role could not work on.
func (t Topics) DeadLetters(r Role) string { return t.Prefix + "recharge.deadletter." + string(r) }

// Redrive holds dead letters that an operator sent to their role once more.
func (t Topics) Redrive(r Role) string { return t.Prefix + "recharge.redrive." + string(r) }

// Reads are the topics that a role reads: its own and what comes to it once more.
// The gateway reads none.
func (t Topics) Reads(r Role) []string {
	switch r {
	case RoleTransformer:
		return []string{t.Webhooks(), t.Redrive(r)}
	case RoleTracking:
		return []string{t.Events(), t.Redrive(r)}
	case RoleSMS:
		return []string{t.Triggers(), t.Redrive(r)}
	}
	return nil
}

// Group is a role's consumer group. The sinks have one per store, so that a store
// whose destination is down holds up nobody else.
func (t Topics) Group(r Role, store string) string {
	group := t.Prefix + "rechargeflow." + string(r)
	if store != "" {
		group += "." + store
	}
	return group
}
