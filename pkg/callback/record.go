package callback

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// records returns the records of a callback that arrived now. There is none for one of no use, and for a reply that changes no consent and is not
// answered.
func (h *Handler) records(store string, c sms.Callback, now time.Time) ([]kafka.Record, error) {
	switch {
	case c.Kind == sms.CallbackOther:
		return nil, nil
	case c.Kind == sms.CallbackDelivery:
		return h.delivery(store, c, now)
	case c.Kind == sms.CallbackReply && h.cfg.Stores[store].Help && meansHelp(c.Text):
		return one(h.help(store, c, now))
	}
	change := consent.Change{By: consent.ByDestination, Detail: c.ID}
	switch c.Kind {
	case sms.CallbackOptOut:
		change.Status = consent.OptedOut
	case sms.CallbackOptIn:
		change.Status = consent.OptedIn
	default:
		if change.Status, change.Detail = asked(c.Text); change.Status == "" {
			return nil, nil
		}
		change.By = consent.ByKeyword
	}
	return one(h.change(store, c, change, now))
}

func one(record kafka.Record, err error) ([]kafka.Record, error) { return []kafka.Record{record}, err }

// delivery returns the records of a delivery report: its receipt, and an opt-out if that is why the text was not delivered.
func (h *Handler) delivery(store string, c sms.Callback, now time.Time) ([]kafka.Record, error) {
	receipt, err := h.receipt(store, c, now)
	if err != nil || !c.OptedOut {
		return one(receipt, err)
	}
	optOut, err := h.change(store, c, consent.Change{Status: consent.OptedOut, By: consent.ByDestination, Detail: c.Code}, now)
	return []kafka.Record{receipt, optOut}, err
}

// change returns the record of a change of consent.
func (h *Handler) change(store string, c sms.Callback, change consent.Change, now time.Time) (kafka.Record, error) {
	change.Store, change.Number, change.At = store, c.Number, c.At
	if c.Untimed {
		change.Event = c.ID
	}
	change, err := consent.New(change)
	if err != nil {
		return kafka.Record{}, err //nolint:wrapcheck // it says what is wrong with the callback
	}
	return change.Record(h.cfg.Topics.Consent, now) //nolint:wrapcheck // likewise
}

func meansHelp(reply string) bool {
	meaning, _ := consent.Read(reply)
	return meaning == consent.MeansHelp
}

// asked returns the status that a reply asks for and its keyword; "" if it asks for none.
func asked(reply string) (consent.Status, string) {
	switch meaning, keyword := consent.Read(reply); meaning {
	case consent.MeansOptOut:
		return consent.OptedOut, keyword
	case consent.MeansOptIn:
		return consent.OptedIn, keyword
	default:
		return "", ""
	}
}

// receipt returns the record of a delivery report. It goes to the partition of the text, whatever its key.
func (h *Handler) receipt(store string, c sms.Callback, now time.Time) (kafka.Record, error) {
	r := message.Receipt{
		Store: store, CustomerID: c.Address.CustomerID, MessageID: c.Address.SendKey, Outcome: message.Status(c.Status), At: c.At.UTC(),
		ProviderID: c.ProviderID, Code: c.Code, Error: strings.ToValidUTF8(httpclient.Cut(c.Detail, message.MaxError), ""),
	}
	if r.Code == message.CodeResolved { // it is the console's
		r.Code = ""
	}
	value, err := envelope.Encode(r)
	if err != nil {
		return kafka.Record{}, fmt.Errorf("encode receipt: %w", err)
	}
	sum := sha256.Sum256(value) // the same report has the same id
	event := envelope.Event{
		Schema: schemas.SMSReceipt, ID: hex.EncodeToString(sum[:16]), Store: store, Subject: "customer/" + r.CustomerID, At: r.At, Received: now,
	}
	return kafka.Record{
		Topic: h.cfg.Topics.Receipts, Partition: c.Address.Partition, Key: []byte(store + "/" + r.CustomerID), Value: value, Headers: event.Headers(), Time: now,
	}, nil
}
