package console_test

import (
	"bytes"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/browser"
)

// hold holds all texts: that of a new subscription waits. When texts are sent again, the provider gets it once.
func (d *desk) hold() {
	d.visit("/acme/sending")
	d.Sees("#pause-title", "Texts are sent")
	d.Click(`button[name="paused"][value="true"]`)
	d.Sees("h1", "Hold texts?")
	d.Sees("main", "the texts of all flows of acme")
	d.look("hold-question")
	d.Click("main button.danger")
	d.done("Texts are held")
	d.Sees("#pause-title", "All texts are held")
	d.Sees("main", "By ann")
	d.look("hold")
	d.until("the sms role holds texts", func() bool { return strings.Contains(d.process.Output(), `"paused":true`) })

	d.subscribe(d.t, held)
	d.until("the text is held", func() bool { return d.textOf(held).Reason == reason.Paused })
	assert.Equal(d.t, message.Planned, d.textOf(held).Status)
	assert.Zero(d.t, d.sentTo(held))
	d.finds("/acme/", "main", "1 text waits because texts are held")

	d.visit("/acme/sending")
	d.Click(`button[name="paused"][value="false"]`)
	d.done("Texts are sent again")
	d.until("the text is sent", func() bool { return d.textOf(held).Status == message.Accepted })
	assert.Equal(d.t, 1, d.sentTo(held))
}

// resolve records what the provider's list says about a text whose answer was lost.
func (d *desk) resolve() {
	d.lab.Texts.ForNumber(phone(lost), smstest.FailedAfterwards())
	d.subscribe(d.t, lost)
	d.until("the outcome is unknown", func() bool { return d.textOf(lost).Status == message.Unknown })
	d.finds("/acme/texts", ".head a.badge", "1 text perhaps sent")
	d.Click(".head a.badge")
	d.Click(`.feed a[href^="/acme/texts/"]`)
	d.Sees("#resolve-title", "What happened to it?")
	d.look("resolve")
	d.Click(`input[name="outcome"][value="delivered"]`)
	d.Type("#note", "in the list of the provider")
	d.Click(`form[action$="/resolve"] button`)
	d.done("Recorded")

	d.until("the text is delivered", func() bool { return d.textOf(lost).Status == message.Delivered })
	assert.Equal(d.t, "found out by ann: in the list of the provider", d.textOf(lost).Error)
	receipts := d.records(d.t, d.topics.Receipts())
	assert.Equal(d.t, envelope.SourceOperator, receipts[len(receipts)-1].Header(envelope.HeaderSource))
	assert.Equal(d.t, 1, d.sentTo(lost), "it is never sent again")
	path := browser.Value[string](d.Tab, "location.pathname")
	d.finds(path, ".head .badge", "Delivered")
	d.Sees(".life", "in the list of the provider")
	assert.False(d.t, browser.Value[bool](d.Tab, `Boolean(document.querySelector("#resolve-title"))`), "it is known now")
	d.look("resolved")
}

// replay sends dead letters again, after the cause was removed. A number that has changed since the question is refused.
func (d *desk) replay() {
	letters, redrive := d.topics.DeadLetters(topology.RoleTracking), d.topics.Redrive(topology.RoleTracking)
	d.lab.Bloomreach.RejectWhen(func(c bloomreachtest.Command) []string {
		if c.Name == "customers/events" && (bytes.Contains(c.Data, []byte(email(refused))) || bytes.Contains(c.Data, []byte(email(another)))) {
			return []string{"event type is not in the project"}
		}
		return nil
	})
	d.subscribe(d.t, refused)
	d.until("there is a dead letter", func() bool { return len(d.records(d.t, letters)) == 1 })
	d.finds("/deadletters", "#counts-title", "1 dead letter")
	d.look("deadletters-one")
	d.Click(`.feed a[href^="/deadletters/tracking/"]`)
	d.Sees("main", "event type is not in the project")
	d.look("deadletter")

	d.visit("/deadletters")
	d.Click(`form[action="/deadletters/replay"] button`)
	d.Sees("h1", "Send them again?")
	d.Sees("main", "This sends 1 dead letter to their roles again")
	d.look("replay-question")
	d.subscribe(d.t, another)
	d.until("there is another", func() bool { return len(d.records(d.t, letters)) == 2 })
	d.Click("main button.danger")
	d.Sees("main", "The number of dead letters is 2 now, and 1 was confirmed")
	assert.Contains(d.t, strings.Join(d.Problems(), " "), "409")
	d.look("replay-refused")
	assert.Empty(d.t, d.records(d.t, redrive), "nothing was sent")

	d.lab.Bloomreach.RejectWhen(nil)
	d.Click("main a.button")
	d.Sees("h1", "Dead letters")
	d.finds("/deadletters", "#counts-title", "2 dead letters")
	d.Click(`form[action="/deadletters/replay"] button`)
	d.Sees("main", "This sends 2 dead letters to their roles again")
	d.Click("main button.danger")
	d.done("They are being sent again")
	d.until("Bloomreach has the events", func() bool {
		return len(d.lab.Bloomreach.Timeline("registered", email(refused))) == 1 && len(d.lab.Bloomreach.Timeline("registered", email(another))) == 1
	})
	assert.Len(d.t, d.records(d.t, redrive), 2)
	d.finds("/deadletters", "main", "2 of 2 dead letters, by ann Done")
	d.finds("/deadletters", ".feed .badge", "Sent again")
	d.look("replayed")
	d.Click(`form[action="/deadletters/replay"] button`)
	d.Sees("main", "This sends 0 dead letters")
	d.visit("/deadletters?open=on")
	d.Sees("main", "There are none")
}

// push builds a segment, and pushes it: Bloomreach has the property of its members.
func (d *desk) push() {
	d.visit("/acme/segments")
	d.Type("#conditions", "received subscription_started in 7d and not received charge_failed")
	d.Sees("#count [data-summary]", "of 5 customers")
	d.Type("#name", "started")
	d.look("segment-new")
	d.Click(`button[value="save"]`)
	d.Sees("h1", "started")
	d.Sees("main", "received subscription_started in 7d and not received charge_failed")
	d.Sees("main table", "s***@example.com")
	d.look("segment")

	d.visit("/acme/segments")
	d.Click(`form[action$="/push"] button`)
	d.Sees("h1", "Push segments to Bloomreach?")
	d.Sees("main", "This sets 5 properties of customers: 5 customers became a member of a segment")
	d.look("push-question")
	assert.Empty(d.t, d.records(d.t, d.topics.SegmentMembers()), "nothing was pushed by asking")
	d.Click("main button.danger")
	d.done("The push has begun")
	d.Sees("#push-title + p, #push-title ~ ul", "5 added")
	d.look("pushed")
	for of := customer; of <= another; of++ {
		profile, _ := d.lab.Bloomreach.Customer("registered", email(of))
		assert.Equal(d.t, true, profile["recharge_segment_started"], of)
	}
	assert.NotEmpty(d.t, d.records(d.t, d.topics.SegmentMembers()))
}

// restore changes a flow that is on, and brings back the version before.
func (d *desk) restore() {
	before := d.flowOf(flow.SubscriptionStarted)
	require.Contains(d.t, before.Text, "welcome")
	d.visit(flowPath)
	d.Type("#text", "{{ shop_name }}: a mistake. {{ portal_url }}")
	d.Click("#flow button.main")
	d.done("Saved")
	changed := d.flowOf(flow.SubscriptionStarted)
	assert.Contains(d.t, changed.Text, "a mistake")
	assert.Equal(d.t, before.Version+1, changed.Version)

	d.visit(flowPath + "/versions")
	d.Sees(".diff del", "welcome")
	d.Sees(".diff ins", "a mistake")
	d.look("versions-mistake")
	d.Click(`button[aria-label^="Undo the last change"]`)
	d.done("Restored, as a new version")
	d.Sees("#text", "welcome")
	d.Sees(".head .badge", "On")
	restored := d.flowOf(flow.SubscriptionStarted)
	assert.Equal(d.t, before.Definition(), restored.Definition())
	assert.Equal(d.t, before.Version+2, restored.Version)
	assert.Equal(d.t, "ann", restored.By)
	d.look("restored")
}
