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

func TestSendLogsTheTextWithoutSecrets(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	d := logdriver.New(zap.New(core))
	m := sms.Message{
		SendKey: "k1", To: "+14155552671", Body: "Acme: hello Anna ж https://acme.example/portal/f99b%2Fd4a6 f99b/d4a6", Store: "acme", Flow: "charge_paid",
		Secrets: []string{"f99b/d4a6", "f99b%2Fd4a6", ""},
	}
	receipt, err := d.Send(t.Context(), m)
	require.NoError(t, err)
	assert.Equal(t, "log-k1", receipt.ProviderID)
	again, err := d.Send(t.Context(), m)
	require.NoError(t, err)
	assert.Equal(t, receipt, again)

	require.Equal(t, 2, logs.Len())
	assert.Equal(t, map[string]any{
		"store": "acme", "flow": "charge_paid", "send_key": "k1", "to": "+14*******71", "encoding": "ucs-2", "segments": int64(1),
		"text": "Acme: hello Anna ж https://acme.example/portal/*** ***",
	}, logs.All()[0].ContextMap())
	assert.Equal(t, "text not sent: dry run", logs.All()[0].Message)
	assert.Equal(t, zap.InfoLevel, logs.All()[0].Level)
}

func TestSendLogsTheVariablesOfATriggerWithoutSecrets(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	m := sms.Message{
		SendKey: "k1", To: "+14155552671", Store: "acme", Flow: "charge_paid", Secrets: []string{"f99bd4a6"},
		Values: &sms.Values{Variables: map[string]string{"first_name": "Anna", "portal_url": "https://acme.example/portal/f99bd4a6"}},
	}
	_, err := logdriver.New(zap.New(core)).Send(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, 1, logs.Len())
	assert.Equal(t, "trigger not sent: dry run", logs.All()[0].Message)
	assert.Equal(t, map[string]any{
		"store": "acme", "flow": "charge_paid", "send_key": "k1", "to": "+14*******71",
		"variables": map[string]string{"first_name": "Anna", "portal_url": "https://acme.example/portal/***"},
	}, logs.All()[0].ContextMap())
}
