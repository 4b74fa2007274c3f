package admission

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Config is what an Admission accepts.
type Config struct {
	// Stores are the stores by name.
	Stores map[string]Store
	// BodyLimit is the size of the largest body in bytes.
	BodyLimit int64
	// Bodies limits the bytes of all bodies in memory.
	Bodies *httplimit.Budget
	// Signatures remembers which addresses received a timestamped signature, for this Admission and those that follow it with other
	// settings; nil begins anew.
	Signatures *Signatures
}

// Store is how the webhooks of one store are verified.
type Store struct {
	// Secrets are the API client secrets, several during a rotation.
	Secrets []string
	// RequireAddressToken refuses webhooks whose address has no token. A wrong token is always refused.
	RequireAddressToken bool
	// TimestampedOnly refuses webhooks that have only the legacy signature.
	TimestampedOnly bool
}

// Webhook is a webhook that is accepted.
type Webhook struct {
	Store string
	Topic recharge.Topic
	// Key is the customer, to keep their webhooks in order, or the resource if the body names no customer.
	Key    string
	Body   []byte
	Scheme recharge.Scheme // of the signature that was verified
	// AddressToken reports whether the address had a token, which was valid.
	AddressToken bool

	body httplimit.Body
}

// Release returns the memory of the body. Call it when the webhook is not used any more.
func (w Webhook) Release() { w.body.Release() }

// Admission accepts or refuses webhooks. It may be used by many goroutines.
type Admission struct {
	config     Config
	signatures *Signatures
}

// New needs all of config but Signatures.
func New(config Config) *Admission {
	return &Admission{config: config, signatures: cmp.Or(config.Signatures, NewSignatures())}
}

// Knows reports whether a store is configured.
func (a *Admission) Knows(store string) bool {
	_, known := a.config.Stores[store]
	return known
}

// Admit reads and verifies the webhook that r sends to an address. Errors are of type *Refusal. Without an error the caller has to call
// Release.
func (a *Admission) Admit(w http.ResponseWriter, r *http.Request, to Address, now time.Time) (Webhook, error) {
	store, err := a.store(to)
	if err != nil {
		return Webhook{}, err
	}
	if err := a.signatures.check(r.Header, store, to.endpoint()); err != nil {
		return Webhook{}, err
	}
	body, err := a.config.Bodies.Read(w, r, a.config.BodyLimit)
	if err != nil {
		return Webhook{}, BodyRefusal(err, a.config.BodyLimit, "gateway.body_limit")
	}
	webhook, err := a.verify(r.Header, store, to, body, now)
	if err != nil {
		body.Release()
	}
	return webhook, err
}

// verify checks what needs the body.
func (a *Admission) verify(h http.Header, store Store, to Address, body httplimit.Body, now time.Time) (Webhook, error) {
	scheme, err := recharge.Verify(h, body.Bytes, store.Secrets, now)
	if err != nil {
		return Webhook{}, signatureRefusal(err)
	}
	a.signatures.verified(scheme, to.endpoint())
	topic := to.Topic()
	found, valid := recharge.Inspect(topic, body.Bytes)
	if !valid {
		return Webhook{}, Refuse(http.StatusBadRequest, reason.NotJSON, "the body must be one JSON document")
	}
	if other := found.OtherResource; other != "" {
		return Webhook{}, Refuse(http.StatusBadRequest, reason.OtherResource, "the body is that of the resource "+other+", the topic is "+string(topic))
	}
	return Webhook{Store: to.Store, Topic: topic, Key: to.key(found), Body: body.Bytes, Scheme: scheme, AddressToken: to.Token != "", body: body}, nil
}

// store checks the address and returns its store.
func (a *Admission) store(to Address) (Store, error) {
	store, known := a.config.Stores[to.Store]
	if !known {
		return Store{}, Refuse(http.StatusNotFound, reason.UnknownStore, "unknown store; "+AddressForm)
	}
	if !envelope.IsTopicPart(to.Resource) || !envelope.IsTopicPart(to.Action) {
		return Store{}, Refuse(http.StatusNotFound, reason.UnknownPath, "unknown topic; "+AddressForm)
	}
	const register = "; `rechargeflow setup` registers the right one"
	switch {
	case to.Token == "" && store.RequireAddressToken:
		return Store{}, unauthorized(reason.NoAddressToken, "the address has no token"+register)
	case to.Token != "" && !to.hasToken(store.Secrets):
		return Store{}, unauthorized(reason.BadAddressToken, "the token in the address is not that of store and topic"+register)
	}
	return store, nil
}

// BodyRefusal returns the refusal for an error of Budget.Read with a limit in bytes, which has a name.
func BodyRefusal(err error, limit int64, name string) error {
	switch {
	case errors.Is(err, httplimit.ErrTooLarge):
		return Refuse(http.StatusRequestEntityTooLarge, reason.BodyTooLarge, "the body is over "+strconv.FormatInt(limit, 10)+" bytes ("+name+")")
	case errors.Is(err, httplimit.ErrNoMemory):
		return Refuse(http.StatusServiceUnavailable, reason.BodyMemory, "too many bodies are being received (gateway.body_memory); send it again")
	case errors.Is(err, httplimit.ErrEvicted):
		return Refuse(http.StatusServiceUnavailable, reason.TooManyConnections, "too many connections (gateway.max_connections); send it again")
	}
	return Refuse(http.StatusBadRequest, reason.BodyUnreadable, "the body ended early; send it again")
}
