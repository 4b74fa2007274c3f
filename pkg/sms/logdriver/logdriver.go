// Package logdriver is a dry-run driver: it logs each text instead of sending it, so that a shop can observe its flows before
// it connects a provider.
package logdriver

import (
	"context"
	"strings"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// Driver logs texts and accepts all of them.
type Driver struct{ log *zap.Logger }

var _ sms.Driver = (*Driver)(nil)

// New returns a driver that writes to log.
func New(log *zap.Logger) *Driver { return &Driver{log: log} }

// Send logs one line with the text and the masked number. The text holds what its template names, such as a first name; the
// secrets of the message are masked. The receipt's id is derived from the send key, so that the same text has the same id.
func (d *Driver) Send(_ context.Context, m sms.Message) (sms.Receipt, error) {
	encoding, segments := flow.Segments(m.Body)
	d.log.Info("text not sent: dry run",
		zap.String("store", m.Store),
		zap.String("flow", m.Flow),
		zap.String("send_key", m.SendKey),
		zap.String("to", sms.Mask(m.To)),
		zap.String("text", masked(m)),
		zap.String("encoding", string(encoding)),
		zap.Int("segments", segments),
	)
	return sms.Receipt{ProviderID: "log-" + m.SendKey}, nil
}

// masked returns the text without its secrets.
func masked(m sms.Message) string {
	text := m.Body
	for _, secret := range m.Secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}
