package admission

import (
	"errors"
	"net/http"
	"sync"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Signatures decides which signatures an address accepts. Recharge sends the timestamped and the legacy signature with every
// webhook. The legacy one never expires, so anyone with a copy of a webhook could remove the other and replay it at any time.
type Signatures struct {
	mutex sync.Mutex
	// timestamped are the addresses that received a timestamped signature. Only stores of the configuration and topics of Recharge
	// are in it, so its size is limited.
	timestamped map[endpoint]struct{}
}

type endpoint struct {
	store string
	topic recharge.Topic
}

// NewSignatures returns Signatures that have seen none.
func NewSignatures() *Signatures {
	return &Signatures{timestamped: map[endpoint]struct{}{}}
}

// check checks which signatures are there, before the body is read.
func (s *Signatures) check(h http.Header, store Store, at endpoint) error {
	switch {
	case h.Get(recharge.HeaderSignature) != "":
		return nil
	case h.Get(recharge.HeaderLegacySignature) == "":
		return signatureRefusal(recharge.ErrNoSignature)
	case store.TimestampedOnly:
		return unauthorized(reason.LegacySignature, "the store accepts only "+recharge.HeaderSignature+" (recharge.signature: timestamped)")
	case s.wasTimestamped(at):
		return unauthorized(reason.SignatureStripped, recharge.HeaderSignature+" is missing, and earlier webhooks to this address had it")
	}
	return nil
}

func (s *Signatures) wasTimestamped(at endpoint) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, was := s.timestamped[at]
	return was
}

// verified records the scheme of a webhook whose signature is valid.
func (s *Signatures) verified(scheme recharge.Scheme, at endpoint) {
	if scheme != recharge.SchemeTimestamped || s.wasTimestamped(at) || !at.topic.Known() {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.timestamped[at] = struct{}{}
}

// signatureRefusal returns the refusal for an error of recharge.Verify.
func signatureRefusal(err error) error {
	why := reason.BadSignature
	switch {
	case errors.Is(err, recharge.ErrNoSignature):
		why = reason.NoSignature
	case errors.Is(err, recharge.ErrSignatureExpired):
		why = reason.SignatureExpired
	}
	return unauthorized(why, err.Error()+"; sign with the API client secret of the token that registered the webhook")
}
