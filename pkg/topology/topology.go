package topology

// Role is a part of the pipeline that can run in a process of its own.
type Role string

// The roles.
const (
	RoleGateway     Role = "gateway"
	RoleTransformer Role = "transformer"
	RoleTracking    Role = "tracking"
	RoleSMS         Role = "sms"
	RoleLinks       Role = "links"
	RoleConsole     Role = "console"
)

// row is what a role consumes and writes.
type row struct {
	role  Role
	input string // "" for a role without consumer group, dead letters and redrive topic
	// perStore gives each store its own group: a store whose destination is down does not delay the others.
	perStore bool
	ifUsed   bool     // there is a group only if a store uses it
	sink     bool     // a webhook's path ends here
	also     []string // consumed besides input and redrive topic
	state    string   // the changelog of its state
	outputs  []string
}

// table lists the roles in the order in which a webhook passes them.
func (t Topics) table() []row {
	return []row{
		{role: RoleGateway, outputs: []string{t.Webhooks(), t.Consent(), t.Receipts()}},
		{role: RoleTransformer, input: t.Webhooks(), state: t.State(), outputs: []string{t.Webhooks(), t.Events(), t.Facts(), t.Triggers(), t.Customers(), t.Subscriptions(), t.Charges()}},
		{role: RoleTracking, input: t.Events(), also: []string{t.Facts()}, perStore: true, sink: true},
		{role: RoleSMS, input: t.Triggers(), ifUsed: true, also: []string{t.Receipts()}, state: t.SMSState(), outputs: []string{t.Messages(), t.MessageTexts(), t.Links(), t.Receipts()}},
		{role: RoleLinks, outputs: []string{t.Receipts()}},
		{role: RoleConsole, outputs: t.settable()},
	}
}

// settable are the topics that people write to in the console: what is set at run time, what they found out about texts, and what they send again.
func (t Topics) settable() []string {
	topics := []string{t.Settings(), t.Consent(), t.SegmentMembers(), t.Receipts()}
	for _, r := range []Role{RoleTransformer, RoleTracking, RoleSMS} {
		topics = append(topics, t.Redrive(r))
	}
	return topics
}

func (t Topics) row(r Role) row {
	for _, row := range t.table() {
		if row.role == r {
			return row
		}
	}
	return row{role: r}
}

// Roles lists all roles.
func Roles() []Role { return rolesWhere(func(row) bool { return true }) }

// Consumers lists the roles that consume a topic. Each has a redrive topic and a dead-letter topic, too.
func Consumers() []Role { return rolesWhere(func(r row) bool { return r.input != "" }) }

func rolesWhere(is func(row) bool) (roles []Role) {
	for _, r := range (Topics{}).table() {
		if is(r) {
			roles = append(roles, r.role)
		}
	}
	return roles
}

// Topics names topics and groups under a prefix, "" for none.
type Topics struct {
	Prefix string
}

// Webhooks holds raw bodies.
func (t Topics) Webhooks() string { return t.Prefix + "recharge.webhooks" }

// Events holds tracking events and customer properties.
func (t Topics) Events() string { return t.Prefix + "recharge.events" }

// Facts holds what happened and is tracked only if a store asks for it.
func (t Topics) Facts() string { return t.Prefix + "recharge.facts" }

// Triggers holds triggers of SMS flows and their revocations.
func (t Topics) Triggers() string { return t.Prefix + "recharge.sms-triggers" }

// Customers is the public table of customers.
func (t Topics) Customers() string { return t.Prefix + "recharge.customers" }

// Subscriptions is the public table of subscriptions.
func (t Topics) Subscriptions() string { return t.Prefix + "recharge.subscriptions" }

// Charges is the public table of charges.
func (t Topics) Charges() string { return t.Prefix + "recharge.charges" }

// State is the changelog of the transformer's state.
func (t Topics) State() string { return t.Prefix + "recharge.state" }

// Receipts holds what came of the calls for texts, and reports of SMS providers.
func (t Topics) Receipts() string { return t.Prefix + "recharge.sms-receipts" }

// Consent is the table of who may be texted.
func (t Topics) Consent() string { return t.Prefix + "recharge.consent" }

// SMSState is the changelog of the sms role's state.
func (t Topics) SMSState() string { return t.Prefix + "recharge.sms-state" }

// Messages holds every change of a text message.
func (t Topics) Messages() string { return t.Prefix + "recharge.messages" }

// MessageTexts is the table of texts as they were sent.
func (t Topics) MessageTexts() string { return t.Prefix + "recharge.message-texts" }

// Settings is the table of what is set at run time.
func (t Topics) Settings() string { return t.Prefix + "recharge.settings" }

// SegmentMembers is the table of the members of segments, as last sent to the destination of events.
func (t Topics) SegmentMembers() string { return t.Prefix + "recharge.segment-members" }

// Links is the table of short links.
func (t Topics) Links() string { return t.Prefix + "recharge.links" }

// DeadLetters holds the records that a role rejected.
func (t Topics) DeadLetters(r Role) string { return t.Prefix + "recharge.deadletter." + string(r) }

// Redrive holds dead letters that an operator sent to their role again.
func (t Topics) Redrive(r Role) string { return t.Prefix + "recharge.redrive." + string(r) }

// Reads lists the topics that a role consumes: its inputs and its redrive topic.
func (t Topics) Reads(r Role) []string {
	row := t.row(r)
	if row.input == "" {
		return nil
	}
	return append([]string{row.input, t.Redrive(r)}, row.also...)
}

// Ends reports whether a webhook's path ends at a role.
func (t Topics) Ends(r Role) bool { return t.row(r).sink }

// Changelog returns the topic of a role's state, "" for a role without state.
func (t Topics) Changelog(r Role) string { return t.row(r).state }

// Writes lists the topics that a role produces to.
func (t Topics) Writes(r Role) []string {
	row := t.row(r)
	writes := row.outputs
	if row.state != "" {
		writes = append(writes, row.state)
	}
	if row.input != "" {
		writes = append(writes, t.DeadLetters(r))
	}
	return writes
}

// Group is a consumer group and the topics it consumes.
type Group struct {
	Name string
	Role Role
	// Membership is the group that processes join for it; "" for the group itself.
	Membership string
	Topics     []string
}

// Groups lists the consumer groups of all roles. stores names the stores that use a role.
func (t Topics) Groups(stores func(Role) []string) (groups []Group) {
	for _, r := range t.table() {
		names := []string{""}
		if r.perStore || r.ifUsed && len(stores(r.role)) == 0 {
			names = stores(r.role)
		}
		for _, store := range names {
			if r.input != "" {
				groups = append(groups, Group{Name: t.Group(r.role, store), Role: r.role, Membership: t.Membership(r.role), Topics: t.Reads(r.role)})
			}
		}
	}
	return groups
}

// Group returns the name of a role's consumer group; store is "" for a role that has one group for all stores.
func (t Topics) Group(r Role, store string) string {
	group := t.Prefix + "rechargeflow." + string(r)
	if store != "" {
		group += "." + store
	}
	return group
}

// Membership returns the group that a process joins for a role's groups of all stores, see kafka.Shared; "" if it joins each
// group.
func (t Topics) Membership(r Role) string {
	if !t.row(r).perStore {
		return ""
	}
	return t.Group(r, "")
}
