// Package logdriver is the driver that sends nothing: it writes one line for each text that would have been sent. With it
// a shop can watch what its flows would do before a provider is connected.
package logdriver

import (
	"context"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// Driver is the dry run. It accepts every text.
type Driver struct{ log *zap.Logger }

var _ sms.Driver = (*Driver)(nil)

// New returns a driver that writes to log.
func New(log *zap.Logger) *Driver { return &Driver{log: log} }

// Send writes one line: the number masked, the text not at all, only what it would cost. The receipt's id follows from
// the send key, so the same text has the same id.
func (d *Driver) Send(_ context.Context, m sms.Message) (sms.Receipt, error) {
	encoding, segments := flow.Segments(m.Body)
	d.log.Info("text not sent: dry run",
		zap.String("store", m.Store),
		zap.String("flow", m.Flow),
		zap.String("send_key", m.SendKey),
		zap.String("to", sms.Mask(m.To)),
		zap.String("encoding", string(encoding)),
		zap.Int("segments", segments),
	)
	return sms.Receipt{ProviderID: "log-" + m.SendKey}, nil
}
