package recharge_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
)

const (
	secret    = "rc_client_secret_test"
	body      = `{"charge":{"id":123,"status":"success"}}`
	legacySum = "9aabdd751c5e301c34916ecd4ea1f102b5661a3a58925ffad9cc1fcb2bcb5ff3"
	v1Sum     = "c2dccc56436db7b66f7e0915b191322f66ec25ae8924fc03728c9b3171d2aab2"
	// mistakenSum is HMAC(secret, body), a common misreading of the legacy scheme.
	mistakenSum = "161abf9ac0f07bcbce07be47d01e0154ea6cf2dd26ee4e9b8a6886250d56ceb4"
)

func TestVerify(t *testing.T) {
	signed := time.Unix(1750000000, 0)
	const timestamped, legacy = "X-Recharge-Webhook-Signature", "X-Recharge-Hmac-Sha256"
	cases := []struct {
		name    string
		headers map[string]string
		secrets []string
		body    string
		now     time.Time
		scheme  recharge.Scheme
		err     error
	}{
		{name: "timestamped", headers: map[string]string{timestamped: "t=1750000000,v1=" + v1Sum}, scheme: recharge.SchemeTimestamped},
		{name: "legacy", headers: map[string]string{legacy: legacySum}, scheme: recharge.SchemeLegacy},
		{name: "legacy in capitals", headers: map[string]string{legacy: "9AABDD751C5E301C34916ECD4EA1F102B5661A3A58925FFAD9CC1FCB2BCB5FF3"}, scheme: recharge.SchemeLegacy},
		{name: "fields in any order, with an unknown version", headers: map[string]string{timestamped: "v2=zz, v1=" + v1Sum + ", t=1750000000"}, scheme: recharge.SchemeTimestamped},
		{name: "second secret during rotation", headers: map[string]string{legacy: legacySum}, secrets: []string{"new", secret}, scheme: recharge.SchemeLegacy},
		{name: "48 h late", headers: map[string]string{timestamped: "t=1750000000,v1=" + v1Sum}, now: signed.Add(48 * time.Hour), scheme: recharge.SchemeTimestamped},
		{name: "over 48 h late", headers: map[string]string{timestamped: "t=1750000000,v1=" + v1Sum}, now: signed.Add(48*time.Hour + time.Second), err: recharge.ErrSignatureExpired},
		{name: "over 48 h early", headers: map[string]string{timestamped: "t=1750000000,v1=" + v1Sum}, now: signed.Add(-49 * time.Hour), err: recharge.ErrSignatureExpired},
		{name: "valid legacy header with a bad timestamped one", headers: map[string]string{timestamped: "t=1750000000,v1=" + legacySum, legacy: legacySum}, err: recharge.ErrBadSignature},
		{name: "valid legacy header with an expired timestamped one", headers: map[string]string{timestamped: "t=1,v1=" + v1Sum, legacy: legacySum}, err: recharge.ErrSignatureExpired},
		{name: "valid legacy header with an unreadable timestamped one", headers: map[string]string{timestamped: "nonsense", legacy: legacySum}, err: recharge.ErrSignatureFormat},
		{name: "no v1", headers: map[string]string{timestamped: "t=1750000000"}, err: recharge.ErrSignatureFormat},
		{name: "timestamp is not a number", headers: map[string]string{timestamped: "t=soon,v1=" + v1Sum}, err: recharge.ErrSignatureFormat},
		{name: "HMAC in the legacy header", headers: map[string]string{legacy: mistakenSum}, err: recharge.ErrBadSignature},
		{name: "one more space", headers: map[string]string{legacy: legacySum}, body: body + " ", err: recharge.ErrBadSignature},
		{name: "no header", err: recharge.ErrNoSignature},
		{name: "wrong secret", headers: map[string]string{legacy: legacySum}, secrets: []string{"other"}, err: recharge.ErrBadSignature},
		{name: "empty secret", headers: map[string]string{legacy: legacySum}, secrets: []string{""}, err: recharge.ErrBadSignature},
		{name: "no secret", headers: map[string]string{legacy: legacySum}, secrets: []string{}, err: recharge.ErrBadSignature},
		{name: "not hex", headers: map[string]string{legacy: "zz"}, err: recharge.ErrBadSignature},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{}
			for k, v := range c.headers {
				h.Set(k, v)
			}
			if c.secrets == nil {
				c.secrets = []string{secret}
			}
			if c.body == "" {
				c.body = body
			}
			if c.now.IsZero() {
				c.now = signed
			}
			scheme, err := recharge.Verify(h, []byte(c.body), c.secrets, c.now)
			require.ErrorIs(t, err, c.err)
			if c.err == nil {
				assert.Equal(t, c.scheme, scheme)
			}
		})
	}
}

func TestSignProducesWhatVerifyAccepts(t *testing.T) {
	now := time.Unix(1790000000, 0)
	h := http.Header{}
	rechargetest.Sign(h, []byte(body), secret, now)
	scheme, err := recharge.Verify(h, []byte(body), []string{secret}, now)
	require.NoError(t, err)
	assert.Equal(t, recharge.SchemeTimestamped, scheme)
}

func FuzzVerify(f *testing.F) {
	f.Add("t=1750000000,v1="+v1Sum, legacySum, []byte(body))
	f.Add("", legacySum, []byte(body))
	f.Add("v1=,t=,=", "", []byte("{}"))
	f.Fuzz(func(t *testing.T, timestamped, legacy string, raw []byte) {
		h := http.Header{recharge.HeaderSignature: {timestamped}, recharge.HeaderLegacySignature: {legacy}}
		_, err := recharge.Verify(h, raw, []string{"a secret no fuzzer knows"}, time.Unix(1750000000, 0))
		require.Error(t, err)
	})
}
