package rechargetest

import (
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Sign adds both signatures to h, as Recharge sends them with every webhook.
func Sign(h http.Header, body []byte, secret string, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h.Set(recharge.HeaderTimestamp, stamp)
	h.Set(recharge.HeaderSignature, "t="+stamp+",v1="+hex.EncodeToString(recharge.SignTimestamped(stamp, body, secret)))
	SignLegacy(h, body, secret)
}

// SignLegacy adds the legacy signature only.
func SignLegacy(h http.Header, body []byte, secret string) {
	h.Set(recharge.HeaderLegacySignature, hex.EncodeToString(recharge.SignLegacy(body, secret)))
}
