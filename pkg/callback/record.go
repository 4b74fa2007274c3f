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

// record returns the record of a callback that arrived now. found is false for one of no use, and for a reply that changes no consent and is not
// answered.
func (h *Handler) record(store string, c sms.Callback, now time.Time) (record kafka.Record, found bool, err error) {
	switch {
	case c.Kind == sms.CallbackOther:
		return kafka.Record{}, false, nil
	case c.Kind == sms.CallbackDelivery:
		record, err = h.receipt(store, c, now)
		return record, err == nil, err
	case c.Kind == sms.CallbackReply && h.cfg.Stores[store].Help && meansHelp(c.Text):
		record, err = h.help(store, c, now)
		return record, err == nil, err
	}
	return h.consent(store, c, now)
}

// consent returns the record of a change of consent. found is false for a reply that makes none.
func (h *Handler) consent(store string, c sms.Callback, now time.Time) (record kafka.Record, found bool, err error) {
	change := consent.Change{Store: store, Number: c.Number, At: c.At, By: consent.ByDestination, Detail: c.ID}
	if c.Untimed {
		change.Event = c.ID
	}
	switch c.Kind {
	case sms.CallbackOptOut:
		change.Status = consent.OptedOut
	case sms.CallbackOptIn:
		change.Status = consent.OptedIn
	default:
		if change.Status, change.Detail = asked(c.Text); change.Status == "" {
			return kafka.Record{}, false, nil
		}
		change.By = consent.ByKeyword
	}
	if change, err = consent.New(change); err != nil {
		return kafka.Record{}, false, err
	}
	record, err = change.Record(h.cfg.Topics.Consent, now)
	return record, err == nil, err
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
