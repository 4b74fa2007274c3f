package sender_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sender"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// finder is a driver whose calls are not answered, and whose provider can be asked.
type finder struct {
	found bool
	err   error
	began time.Time
}

func (*finder) Send(context.Context, sms.Message) (sms.Receipt, error) {
	return sms.Receipt{}, &sms.SendError{Class: sms.Unknown, Code: "no_answer", Err: errors.New("connection reset")}
}

// Find is asked once.
func (f *finder) Find(_ context.Context, _ sms.Message, began time.Time) (sms.Receipt, bool, error) {
	f.began = began
	return sms.Receipt{ProviderID: "SM1"}, f.found, f.err
}

// A call without an answer is unknown, unless the provider says that it has the text, or drops a second one.
func TestUnanswered(t *testing.T) {
	for name, tt := range map[string]struct {
		driver    finder
		abilities sms.Abilities
		want      message.Receipt
	}{
		"plain":                {finder{found: true}, sms.Abilities{}, message.Receipt{Outcome: message.Unknown, Code: "no_answer", Error: "connection reset"}},
		"found":                {finder{found: true}, sms.Abilities{LooksUp: true}, message.Receipt{Outcome: message.Accepted, ProviderID: "SM1", LookedUp: true}},
		"not found":            {finder{}, sms.Abilities{LooksUp: true}, message.Receipt{Outcome: message.Unknown, Code: "no_answer", Error: "connection reset"}},
		"not answered, either": {finder{found: true, err: errors.New("down")}, sms.Abilities{LooksUp: true}, message.Receipt{Outcome: message.Unknown, Code: "no_answer", Error: "connection reset"}},
		"deduplicates":         {finder{}, sms.Abilities{Deduplicates: true}, message.Receipt{Outcome: message.Planned, Code: "no_answer", Error: "connection reset"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(1, func(c *sender.Config) {
				c.Lanes = map[string]sender.Lane{store: {Driver: &tt.driver, Abilities: tt.abilities, AtOnce: 1}}
				c.Go = func(call func()) { call() }
			})
			before := time.Now()
			b.Sender.Send(text("a", before))
			require.Len(t, b.receipts, 1)
			got := b.receipts[0]
			assert.Equal(t, tt.want.Outcome == message.Planned, got.RetryAt.After(before))
			assert.Equal(t, tt.want, message.Receipt{Outcome: got.Outcome, Code: got.Code, Error: got.Error, ProviderID: got.ProviderID, LookedUp: got.LookedUp})
			assert.Equal(t, tt.abilities.LooksUp, !tt.driver.began.Before(before))
		})
	}
}

// A number that has opted out at the provider is not texted again. That it can't be written changes no receipt.
func TestOptedOut(t *testing.T) {
	for _, err := range []error{nil, errors.New("no broker")} {
		var noted []string
		b := newBench(1, func(c *sender.Config) {
			c.Go = func(call func()) { call() }
			c.OptedOut = func(_ context.Context, text sender.Text, code string) error {
				noted = append(noted, text.Claim.ID+" "+code)
				return err
			}
		})
		b.answer = func(m sms.Message) error {
			if m.SendKey == "a" {
				return &sms.SendError{Class: sms.OptedOut, Code: "twilio_21610"}
			}
			return &sms.SendError{Class: sms.Rejected, Code: "twilio_21211"}
		}
		b.Sender.Send(text("a", time.Now()))
		b.Sender.Send(text("b", time.Now()))
		assert.Equal(t, []message.Status{message.Rejected, message.Rejected}, b.outcomes())
		assert.Equal(t, []string{"a twilio_21610"}, noted)
	}
}

// A claim lasts for both calls of a driver that looks up texts.
func TestLease(t *testing.T) {
	assert.Equal(t, 40*time.Second, sender.Lease(10*time.Second, sms.Abilities{}))
	assert.Equal(t, 50*time.Second, sender.Lease(10*time.Second, sms.Abilities{LooksUp: true}))
}
