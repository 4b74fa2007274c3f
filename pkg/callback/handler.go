package callback

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/admission"
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// prefix is the beginning of the addresses of callbacks: /callbacks/{store}/{driver}.
const prefix = "/callbacks/"

// maxBody is the size of the largest body in bytes. A text has at most 1,600 characters.
const maxBody = 64 << 10

// Store is a store that can receive callbacks.
type Store struct {
	// Provider is the last part of its address.
	Provider string
	// Receiver verifies its callbacks; nil if this process does not have what it needs for it.
	Receiver sms.Receiver
	// Secret names the settings that Receiver needs.
	Secret string
	// Others are the providers that the store does not send through any more, by the last part of their addresses: texts that they have sent
	// are still answered and reported.
	Others map[string]Store
	// Help means that replies such as HELP are answered. HelpKey makes the ids that stand for the numbers of those who ask; it is secret.
	Help    bool
	HelpKey []byte
}

// Metrics counts callbacks.
type Metrics interface {
	// Callback counts a callback; kind is "" for one that is refused, why is "" for one that is accepted.
	Callback(store, kind, outcome, why string)
}

// Config is what a Handler needs. All of it but FaultPoint must be set.
type Config struct {
	Stores map[string]Store // by name
	Bodies *httplimit.Budget
	Topics Topics
	// Partitions is the number of partitions of each topic.
	Partitions int
	// Produce appends records to Kafka and returns once every in-sync replica has them, within PublishTimeout.
	Produce        func(ctx context.Context, records ...kafka.Record) error
	PublishTimeout time.Duration
	RetryAfter     time.Duration // header of a 503
	Metrics        Metrics
	Log            *zap.Logger
	Now            func() time.Time
	// FaultPoint is called with the names of steps; nil for none.
	FaultPoint func(name string)
}

// Topics are the full names of the topics to write to.
type Topics struct{ Consent, Receipts string }

// Handler serves the addresses of callbacks.
type Handler struct {
	cfg     Config
	refused *telemetry.RefusedRequests
	masker  admission.Masker
	stored  *repetitions
}

// New returns a handler.
func New(cfg Config) *Handler {
	if cfg.FaultPoint == nil {
		cfg.FaultPoint = func(string) {}
	}
	return &Handler{cfg: cfg, refused: telemetry.NewRefusedRequests(cfg.Log, cfg.Now), masker: admission.NewMasker(), stored: newRepetitions()}
}

// ServeHTTP receives one callback.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, provider, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, prefix), "/")
	store, known := h.cfg.Stores[name]
	if !known {
		h.refuse(w, r, unknownStore, errUnknownStore())
		return
	}
	if other, found := store.Others[provider]; found {
		store = other
	}
	kind, err := h.receive(w, r, name, provider, store)
	if err != nil {
		h.refuse(w, r, name, err)
		return
	}
	h.cfg.Metrics.Callback(name, string(kind), outcomeAccepted, "")
	w.WriteHeader(http.StatusOK)
}

// The outcomes of a callback. unknownStore is the label of a store that is not configured: a caller must not choose a label.
const (
	outcomeAccepted = "accepted"
	outcomeRefused  = "refused"
	unknownStore    = "unknown"
)

// receive verifies a callback and publishes what it says. Errors are of type *admission.Refusal.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request, name, provider string, store Store) (sms.CallbackKind, error) {
	if err := checkRequest(r, provider, store); err != nil {
		return "", err
	}
	body, err := h.cfg.Bodies.Read(w, r, maxBody)
	if err != nil {
		return "", admission.BodyRefusal(err, maxBody, "the limit of callbacks")
	}
	defer body.Release()
	now := h.cfg.Now()
	request := sms.CallbackRequest{Header: r.Header, Query: r.URL.RawQuery, Body: body.Bytes}
	callback, err := store.Receiver.Receive(request, now)
	if err != nil {
		return "", receiveRefusal(err)
	}
	if callback.Address.Partition >= h.cfg.Partitions {
		return "", errOtherTopics()
	}
	records, err := h.records(name, callback, now)
	if err != nil {
		return "", receiveRefusal(err)
	}
	known, what := h.stored.of(callback.Kind), contentOf(name, provider, request)
	if known.has(what) {
		return callback.Kind, nil
	}
	if err := h.publish(r, records); err != nil {
		h.cfg.Log.Error("publish callback failed, refusing it", zap.String("store", name), zap.String("kind", string(callback.Kind)), zap.Error(err))
		return "", admission.NotStored(err)
	}
	key := []byte(nil)
	if len(records) > 0 {
		known.add(what)
		key = records[0].Key
	}
	h.cfg.Log.Info("callback accepted", zap.String("store", name), zap.String("kind", string(callback.Kind)), zap.ByteString("key", key),
		zap.String(envelope.HeaderTraceparent, r.Header.Get(envelope.HeaderTraceparent)))
	return callback.Kind, nil
}

// publish publishes the records of a callback. It is not canceled when the caller disconnects: the records may be stored already.
func (h *Handler) publish(r *http.Request, records []kafka.Record) error {
	if len(records) == 0 {
		return nil
	}
	for i := range records {
		records[i].Headers = append(records[i].Headers, envelope.Header(envelope.HeaderTraceparent, r.Header.Get(envelope.HeaderTraceparent)))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.cfg.PublishTimeout)
	defer cancel()
	h.cfg.FaultPoint("callback verified")
	if err := h.cfg.Produce(ctx, records...); err != nil {
		return err //nolint:wrapcheck // the caller says what failed
	}
	h.cfg.FaultPoint("callback stored")
	return nil
}
