package logdriver_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/logdriver"
)

func TestSendWritesOneLineWithoutNumberAndText(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	d := logdriver.New(zap.New(core))
	m := sms.Message{SendKey: "k1", To: "+14155552671", Body: "Acme: hello Anna ж", Store: "acme", Flow: "charge_paid"}
	receipt, err := d.Send(t.Context(), m)
	require.NoError(t, err)
	assert.Equal(t, "log-k1", receipt.ProviderID)
	again, err := d.Send(t.Context(), m)
	require.NoError(t, err)
	assert.Equal(t, receipt, again)

	require.Equal(t, 2, logs.Len())
	assert.Equal(t, map[string]any{
		"store": "acme", "flow": "charge_paid", "send_key": "k1", "to": "+14*******71", "encoding": "ucs-2", "segments": int64(1),
	}, logs.All()[0].ContextMap())
	assert.Equal(t, "text not sent: dry run", logs.All()[0].Message)
}
