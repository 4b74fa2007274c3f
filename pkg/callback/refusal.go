package callback

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

const addressForm = "send a POST to /callbacks/{store}/{driver}: a store of the configuration and its sms.driver, for example /callbacks/acme/webhook"

func errUnknownStore() error {
	return admission.Refuse(http.StatusNotFound, reason.UnknownStore, "unknown store, or one whose sms.driver has no callbacks; "+addressForm)
}

func errOtherTopics() error {
	return admission.Refuse(http.StatusBadRequest, reason.Malformed, "the report is of a text of other topics: its partition does not exist")
}

// checkRequest checks what needs no body.
func checkRequest(r *http.Request, provider string, store Store) error {
	switch {
	case provider != store.Provider:
		return admission.Refuse(http.StatusNotFound, reason.UnknownPath, "the store has another sms.driver; "+addressForm)
	case store.Receiver == nil:
		return admission.Refuse(http.StatusServiceUnavailable, reason.NoCallbackSecret, "the gateway has no "+store.Secret+" of this store, so it can't verify callbacks; send it again")
	case !store.Receiver.IsSigned(r.Header):
		return admission.Refuse(http.StatusUnauthorized, reason.NoSignature, "the callback is not signed; the store verifies callbacks with "+store.Secret)
	}
	return nil
}

// receiveRefusal returns the refusal for an error of a receiver.
func receiveRefusal(err error) error {
	switch {
	case errors.Is(err, sms.ErrBadSignature):
		return admission.Refuse(http.StatusUnauthorized, reason.BadSignature, err.Error())
	case errors.Is(err, sms.ErrSignatureExpired):
		return admission.Refuse(http.StatusUnauthorized, reason.SignatureExpired, err.Error()+"; sign each attempt again")
	}
	return admission.Refuse(http.StatusBadRequest, reason.Malformed, err.Error())
}

// refuse answers, counts and logs a callback that is refused.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, store string, err error) {
	refusal := &admission.Refusal{Status: http.StatusInternalServerError, Reason: reason.Malformed}
	errors.As(err, &refusal)
	h.cfg.Metrics.Callback(store, "", outcomeRefused, string(refusal.Reason))
	h.refused.Log("callback refused", h.masker.Mask(r), zap.String("store", store), zap.Int("status", refusal.Status),
		zap.String("reason", string(refusal.Reason)), zap.String(envelope.HeaderTraceparent, r.Header.Get(envelope.HeaderTraceparent)))
	if refusal.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(h.cfg.RetryAfter.Seconds())))
	}
	w.Header().Set("Connection", "close") // else net/http waits for a body that was not read
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(refusal.Status)
	if err := json.NewEncoder(w).Encode(map[string]string{"error": string(refusal.Reason), "message": refusal.Advice}); err != nil {
		h.cfg.Log.Debug("write response failed, caller disconnected", zap.Error(err))
	}
}
