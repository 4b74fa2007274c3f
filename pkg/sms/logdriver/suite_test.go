package logdriver_test

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/logdriver"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

func TestSuite(t *testing.T) {
	smstest.Suite(t, smstest.Subject{
		Abilities: logdriver.Abilities(),
		New: func(string, time.Duration, func() time.Time) (sms.Driver, error) {
			return logdriver.New(zap.NewNop()), nil
		},
	})
}
