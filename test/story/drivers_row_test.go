package story_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// phonePrefix is the beginning of the numbers of all customers.
const phonePrefix = "+1503555"

// portalHash returns the secret part of a customer's portal links.
func portalHash(id string) string { return "5ec2e7" + id + "beef" }

// customer is a customer of one store.
type customer struct {
	id, phone, email string
	texts            []end
	answered         int // replies that asked for help
}

// end is what must become of a text.
type end struct {
	status message.Status
	why    string // the code, or the reason of one that is suppressed
}

// row is a driver in the story.
type row struct {
	*provider
	l         *lab.Lab
	journal   *journal
	index     int // of the store
	began     time.Time
	orders    int
	customers []*customer
	// killed is whose text was with the provider when the process was killed; optedOut is who has opted out here.
	killed, optedOut *customer
	// refused is how many requests had a wrong key, helps is how many replies asked for help.
	refused, helps int
}

func newRow(l *lab.Lab, p *provider, index int) *row {
	return &row{provider: p, l: l, index: index, began: time.Now().Add(-time.Hour).UTC().Truncate(time.Second)}
}

// customer returns a new one.
func (r *row) customer() *customer {
	id := fmt.Sprintf("%d%03d", r.index, len(r.customers)+1)
	c := &customer{id: id, phone: phonePrefix + id, email: "c" + id + "@example.com"}
	r.customers = append(r.customers, c)
	return c
}

// order creates a subscription of a customer, which makes a text.
func (r *row) order(t *testing.T, c *customer) {
	t.Helper()
	r.orders++
	at := r.began.Add(time.Duration(r.orders) * time.Second).Format("2006-01-02T15:04:05+00:00")
	require.NoError(t, deliver(t.Context(), r.l, lab.Webhook{Store: r.name, Topic: "subscription/created", Body: fmt.Appendf(nil,
		`{"subscription":{"id":%[1]d,"customer_id":%[2]s,"product_title":"Coffee %[2]s","status":"active","price":"9.99","quantity":1,"created_at":%[3]q,`+
			`"updated_at":%[3]q},"customer":{"id":%[2]s,"email":%[4]q,"phone":%[5]q,"first_name":"Jo","hash":%[6]q}}`,
		5000+r.orders, c.id, at, c.email, c.phone, portalHash(c.id))}))
}

// await waits until something holds for the last text of a customer that was ordered.
func (r *row) await(t *testing.T, c *customer, holds func(message.Change) bool) {
	t.Helper()
	if !assert.Eventually(t, func() bool {
		texts := r.journal.of(r.name, c.id)
		return len(texts) == len(c.texts)+1 && holds(texts[len(texts)-1].last())
	}, 90*time.Second, 50*time.Millisecond) {
		require.Fail(t, "text", "%s: customer %s: %+v", r.name, c.id, r.journal.of(r.name, c.id))
	}
}

// ends waits until the last text of a customer has ended, and remembers how. why is its code, or its reason.
func (r *row) ends(t *testing.T, c *customer, status message.Status, why string) {
	t.Helper()
	r.await(t, c, func(last message.Change) bool { return last.Status == status })
	c.texts = append(c.texts, end{status, why})
}

// moves waits until a report has moved the last text of a customer.
func (r *row) moves(t *testing.T, c *customer, status message.Status, code string) {
	t.Helper()
	c.texts = c.texts[:len(c.texts)-1]
	r.ends(t, c, status, code)
}

// texted returns a new customer with a text, whose content is right.
func (r *row) texted(t *testing.T) *customer {
	t.Helper()
	c := r.customer()
	r.order(t, c)
	r.ends(t, c, message.Accepted, "")
	got := r.sentTo(c)
	require.Len(t, got, 1)
	link := "https://acme.example/portal/" + portalHash(c.id)
	if got[0].properties == nil {
		assert.Equal(t, "Acme Coffee: Coffee "+c.id+" is on. Manage: "+link+" Reply STOP to opt out.", got[0].body)
	} else {
		assert.Equal(t, "Recharge subscription_started", got[0].body)
		if r.simulator != nil { // the log has no e-mail
			assert.Equal(t, c.email, got[0].email)
		}
		assert.Equal(t, link, got[0].properties["portal_url"])
		assert.Equal(t, "Coffee "+c.id, got[0].properties["product_title"])
		assert.Equal(t, "Jo", got[0].properties["first_name"])
	}
	if address, ours := sms.ParseTextID(got[0].id); ours {
		assert.Equal(t, r.journal.of(r.name, c.id)[0].last().ID, address.SendKey)
		assert.Equal(t, c.id, address.CustomerID)
	}
	return c
}

// sentTo returns the texts that the provider has for a customer.
func (r *row) sentTo(c *customer) (to []sent) {
	for _, each := range r.sent() {
		if each.to == c.phone {
			to = append(to, each)
		}
	}
	return to
}

// optOut opts a customer out by a command. It returns when that is in force.
func (r *row) optOut(t *testing.T) {
	t.Helper()
	r.optedOut = r.customer()
	_, err := r.l.Run(t.Context(), "consent", "opt-out", "--store", r.name, r.optedOut.phone)
	require.NoError(t, err)
}

// inForce is how long a change of consent may take, with some time for a busy machine.
const inForce = 3 * time.Second

// consents waits until changes of consent are in force.
func consents(t *testing.T) {
	t.Helper()
	changed := time.Now()
	eventually(t, func() bool { return time.Since(changed) > inForce })
}

// suppressed orders a text for a customer who has opted out.
func (r *row) suppressed(t *testing.T, c *customer) {
	t.Helper()
	r.order(t, c)
	r.ends(t, c, message.Suppressed, string(reason.OptedOut))
}

// play lets the provider misbehave, report and pass on replies.
func (r *row) play(t *testing.T) {
	r.texted(t)
	slow := r.refuseSlowly(t)
	for _, m := range r.mishaps() {
		r.suffer(t, m)
		r.texted(t)
	}
	if r.callbacks != nil {
		r.reports(t)
		r.replies(t)
	} else {
		r.noCallbacks(t)
	}
	r.suppressed(t, r.optedOut)
	for c, m := range slow {
		r.ends(t, c, message.Rejected, m.code)
		r.checkAttempts(t, c, m)
	}
	if r.simulator == nil {
		return
	}
	r.await(t, r.killed, func(last message.Change) bool {
		return last.Status != message.Claimed && last.Status != message.Planned
	})
	if r.abilities.Deduplicates {
		r.ends(t, r.killed, message.Accepted, "")
		return
	}
	r.await(t, r.killed, func(last message.Change) bool { return last.Status == message.Unknown })
	r.ends(t, r.killed, message.Unknown, r.journal.of(r.name, r.killed.id)[0].last().Code)
	if r.callbacks != nil {
		r.callbacks.report(r.sentTo(r.killed)[0], "delivered", time.Now(), signing{}).accepted(t, r)
		r.moves(t, r.killed, message.Delivered, "")
	}
}

// checkMessages checks that each text has ended as it must, and that there are no others.
func (r *row) checkMessages(t *testing.T) {
	t.Helper()
	for _, c := range r.customers {
		var got []end
		for _, text := range r.journal.of(r.name, c.id) {
			last := text.last()
			why := last.Code
			if last.Status == message.Suppressed {
				why = string(last.Reason)
			}
			got = append(got, end{last.Status, why})
		}
		assert.Equal(t, c.texts, got, "%s: customer %s", r.name, c.id)
	}
	answers := r.journal.answers(r.name)
	assert.Len(t, answers, r.helps, r.name)
	for _, answer := range answers {
		assert.Equal(t, message.Accepted, answer.last().Status, r.name)
	}
}

// checkTexts checks that the provider has each text once, and got no request that no claim allows.
func (r *row) checkTexts(t *testing.T) {
	t.Helper()
	for _, c := range r.customers {
		least, most := c.answered, c.answered
		for _, each := range c.texts {
			switch each.status {
			case message.Accepted, message.Sent, message.Delivered, message.Undelivered:
				least, most = least+1, most+1
			case message.Unknown:
				most++
			}
		}
		has := r.sentTo(c)
		assert.GreaterOrEqual(t, len(has), least, "%s: customer %s", r.name, c.id)
		assert.LessOrEqual(t, len(has), most, "%s: customer %s: %v", r.name, c.id, has)
	}
	if r.simulator != nil {
		assert.LessOrEqual(t, r.simulator.Requests(), r.journal.attempts(r.name), r.name)
		assert.Len(t, r.simulator.Refused(), r.refused, "%s: %v", r.name, r.simulator.Refused())
	}
}
