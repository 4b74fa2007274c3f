// Package logdriver is a dry-run driver: it logs each text instead of sending it, so that a shop can observe its flows before
// it connects a provider.
package logdriver

import (
	"context"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// Driver logs texts and accepts all of them.
type Driver struct{ log *zap.Logger }

var _ sms.Driver = (*Driver)(nil)

// Abilities returns what the driver can do.
func Abilities() sms.Abilities { return sms.Abilities{Texts: true, Triggers: true} }

// New returns a driver that writes to log.
func New(log *zap.Logger) *Driver { return &Driver{log: log} }

// Send logs one line with the text, or the values of a text that the provider renders, and the masked number. They may hold a first
// name; the secrets of the message are masked. The receipt's id is derived from the send key, so that the same text has the same id.
func (d *Driver) Send(_ context.Context, m sms.Message) (sms.Receipt, error) {
	fields := []zap.Field{
		zap.String("store", m.Store), zap.String("flow", m.Flow), zap.String("send_key", m.SendKey), zap.String("to", sms.Mask(m.To)),
	}
	if m.Values != nil {
		d.log.Info("trigger not sent: dry run", append(fields, zap.Any("variables", m.MaskedVariables()))...)
	} else {
		encoding, segments := flow.Segments(m.Body)
		d.log.Info("text not sent: dry run", append(fields,
			zap.String("text", m.Masked(m.Body)), zap.String("encoding", string(encoding)), zap.Int("segments", segments))...)
	}
	return sms.Receipt{ProviderID: "log-" + m.SendKey}, nil
}
