package message_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

const ttl = 10 * 24 * time.Hour

// linked makes the claimed texts have links with these ids.
func (w *world) linked(ids ...string) {
	w.decide = func(*message.Message) message.Decision {
		d := message.Decision{LinksEnd: w.now.Add(ttl)}
		for _, id := range ids {
			d.Links = append(d.Links, message.Link{ID: id, Target: "sealed-" + id})
		}
		return d
	}
}

// claimOne plans a text and claims it.
func (w *world) claimOne() *message.Message {
	require.Empty(w.t, w.add(trigger("t", flow.ChargePaid, 0, "charge/1")))
	w.now = w.now.Add(time.Minute)
	claimed := w.claim(1)
	require.Len(w.t, claimed, 1)
	return claimed[0]
}

// endedLinks are the links whose rows a book removes.
func endedLinks(b *message.Book) (ids []string) {
	for _, r := range b.Removed() {
		for _, link := range r.Ended {
			ids = append(ids, link.ID)
		}
	}
	return ids
}

func TestLinkRows(t *testing.T) {
	w := newWorld(t)
	w.linked("a", "b")
	m := w.claimOne()
	want := message.LinkRow{
		ID: "a", Store: shop, RechargeCustomerID: customer, MessageID: m.ID, Number: 1, Target: "sealed-a", ClaimedAt: w.now, ExpiresAt: w.now.Add(ttl),
	}
	second := want
	second.ID, second.Number, second.Target = "b", 2, "sealed-b"
	assert.Equal(t, []message.LinkRow{want, second}, m.LinkRows())
	for key, value := range w.rows {
		assert.NotContains(t, string(value), "sealed", "the state has no target: %s", key)
	}
	public, err := json.Marshal(m.Public(w.now))
	require.NoError(t, err)
	assert.NotContains(t, string(public), "link")
}

// Only the code opens what was sealed with it, and only a target is opened.
func TestSealedTarget(t *testing.T) {
	code := links.NewCode()
	link := message.NewLink(links.Short{Code: code, Target: "https://shop.example/portal/secret"})
	assert.Equal(t, code.ID(), link.ID)
	assert.NotContains(t, link.Target, "secret")
	target, err := message.OpenTarget(code, link.Target)
	require.NoError(t, err)
	assert.Equal(t, "https://shop.example/portal/secret", target)
	_, err = message.OpenTarget(links.NewCode(), link.Target)
	require.ErrorIs(t, err, message.ErrTarget)
	_, err = message.OpenTarget(code, message.NewLink(links.Short{Code: code, Target: "javascript:alert(1)"}).Target)
	require.ErrorIs(t, err, message.ErrTarget)
	assert.NotContains(t, err.Error(), "alert")
}

// Links end once, at their time, whatever the outcome of the text, and that is no change of the message.
func TestLinksEnd(t *testing.T) {
	w := newWorld(t)
	w.linked("a", "b")
	m := w.claimOne()
	w.receive(m, message.Receipt{Outcome: message.Accepted})
	w.now = w.now.Add(ttl - time.Millisecond)
	book := w.open()
	require.NoError(t, book.Expire())
	assert.Empty(t, book.Removed())
	w.now = w.now.Add(time.Millisecond)
	book = w.open()
	require.NoError(t, book.Expire())
	assert.Equal(t, []string{"a", "b"}, endedLinks(book))
	assert.False(t, book.Removed()[0].Text)
	assert.Empty(t, book.Changed())
	assert.Zero(t, w.rows.count("links/"))
	book = w.open()
	require.NoError(t, book.Expire())
	assert.Empty(t, book.Removed())
	w.now = w.now.Add(40 * 24 * time.Hour)
	book = w.open()
	require.NoError(t, book.Expire())
	require.Len(t, book.Removed(), 1)
	assert.True(t, book.Removed()[0].Text)
	assert.Empty(t, endedLinks(book))
	assert.Empty(t, w.rows.count(""), "nothing is left")
}

// A text that was certainly not sent gets other links; those that it had are removed.
func TestClaimedAgain(t *testing.T) {
	w := newWorld(t)
	w.linked("a", "b")
	m := w.claimOne()
	w.receive(m, message.Receipt{Outcome: message.Planned})
	w.linked("c")
	book := w.open()
	claimed, _, err := book.Claim(message.Claiming{Store: shop, Room: func(int) int { return 1 }, Lease: lease, Decide: w.decide})
	require.NoError(t, err)
	require.Len(t, claimed, 1)
	assert.Equal(t, []string{"a", "b"}, endedLinks(book))
	rows := claimed[0].LinkRows()
	require.Len(t, rows, 1)
	assert.Equal(t, "c", rows[0].ID)
	assert.Equal(t, 1, w.rows.count("links/"))
}

func TestErasedLinks(t *testing.T) {
	w := newWorld(t)
	w.linked("a")
	m := w.claimOne()
	book := w.open()
	_, err := book.Revoke(subscriber.Revocation{Store: shop, RechargeCustomerID: customer, Erased: true})
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, endedLinks(book))
	assert.Zero(t, w.rows.count("links/"))
	why, err := w.open().Click(clickOn(m, w.now))
	require.NoError(t, err)
	assert.Equal(t, reason.ReceiptOutdated, why)
}

func clickOn(m *message.Message, at time.Time) message.Click {
	return message.Click{Store: m.Store, CustomerID: m.CustomerID, MessageID: m.ID, LinkID: "a", Number: 1, At: at}
}

func TestClick(t *testing.T) {
	w := newWorld(t)
	w.linked("a")
	m := w.claimOne()
	bot := clickOn(m, w.now)
	bot.Bot = true
	unknown := clickOn(m, w.now)
	unknown.MessageID = strings.Repeat("0", 64)
	for _, step := range []struct {
		click message.Click
		why   reason.Reason
		at    time.Time
	}{
		{bot, reason.BotClick, time.Time{}},
		{unknown, reason.MessageUnknown, time.Time{}},
		{clickOn(m, w.now.Add(2*time.Minute)), "", w.now.Add(2 * time.Minute)},
		{clickOn(m, w.now.Add(2*time.Minute)), reason.Duplicate, w.now.Add(2 * time.Minute)},
		{clickOn(m, w.now.Add(3*time.Minute)), reason.Duplicate, w.now.Add(2 * time.Minute)},
		{clickOn(m, w.now.Add(time.Minute)), "", w.now.Add(time.Minute)},
		{bot, reason.BotClick, w.now.Add(time.Minute)},
	} {
		book := w.open()
		why, err := book.Click(step.click)
		require.NoError(t, err)
		assert.Equal(t, step.why, why)
		if why == "" {
			require.Len(t, book.Changed(), 1)
			changed := book.Changed()[0]
			assert.False(t, changed.Moved, "no change of the status")
			assert.Equal(t, step.at, changed.Public(w.now).ClickedAt)
			assert.Equal(t, message.Claimed, changed.Status)
		} else {
			assert.Empty(t, book.Changed())
		}
	}
	_, err := w.open().Click(message.Click{Store: shop})
	require.ErrorIs(t, err, message.ErrReceipt)
}

// In any order and any number, clicks and receipts end alike: the first click of a person and the last status.
func TestClicksInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.linked("a")
		m := w.claimOne()
		claimed := w.now
		offsets := rapid.SliceOfN(rapid.IntRange(1, 1000), 1, 8).Draw(t, "clicks")
		again := append(slices.Clone(offsets), offsets...)
		accept := rapid.IntRange(0, len(again)).Draw(t, "accepted")
		for i, offset := range rapid.Permutation(again).Draw(t, "order") {
			if i == accept {
				w.receive(m, message.Receipt{Outcome: message.Accepted})
			}
			_, err := w.open().Click(clickOn(m, claimed.Add(time.Duration(offset)*time.Second)))
			require.NoError(t, err)
		}
		stored, err := w.open().OfCustomer(shop, customer)
		require.NoError(t, err)
		require.Len(t, stored, 1)
		require.Equal(t, claimed.Add(time.Duration(slices.Min(offsets))*time.Second), stored[0].ClickedAt)
	})
}
