package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/readmodel"
	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// Operations is what an operator sees and does, and what everybody sees of texts and customers. Who may call what is decided before.
type Operations interface {
	// Overview returns whether a store is connected, and what happened in the last 24 hours.
	Overview(ctx context.Context, store string) (Overview, error)
	// Live returns what happens in a store, or with "" in all, as it comes. The channel is closed when ctx ends, when the console stops, or when
	// the reader is too slow.
	Live(ctx context.Context, store string) (<-chan Live, error)

	// Reading returns how far the console has read.
	Reading(ctx context.Context) (Reading, error)

	Texts(ctx context.Context, query TextQuery) (TextPage, error)
	Text(ctx context.Context, store, id string) (Text, error)
	// Unknown returns the texts of unknown outcome.
	Unknown(ctx context.Context, store string) (TextPage, error)
	// CountUnknown counts them.
	CountUnknown(ctx context.Context, store string) (int, error)
	// Resolve records what an operator found out about a text of unknown outcome. It takes effect when the sms role has read the record.
	Resolve(ctx context.Context, who string, resolution Resolution) error

	Customers(ctx context.Context, query CustomerQuery) (CustomerPage, error)
	Customer(ctx context.Context, store, id string, reveal bool) (Customer, error)
	// Timeline reads what happened to a customer from the topics: seconds.
	Timeline(ctx context.Context, query TimelineQuery) (timeline.Timeline, error)

	// Events returns the kinds of events, those that were never seen included.
	Events(ctx context.Context, store string) ([]EventKind, error)
	// SendSamples sends a sample of each event to the store's destination, for a test customer with this e-mail.
	SendSamples(ctx context.Context, who, store, email string) ([]SampleEvent, error)

	Pipeline(ctx context.Context) (Pipeline, error)

	DeadLetters(ctx context.Context, query DeadLetterQuery) (DeadLetterPage, error)
	// DeadLetter returns one, by its name role/partition/offset.
	DeadLetter(ctx context.Context, name string, reveal bool) (DeadLetter, error)
	// CountReplay counts what Replay would send.
	CountReplay(ctx context.Context, request ReplayRequest) (ReplayCount, error)
	// Replay begins to send dead letters to their roles again, at a limited rate. Replays lists those of this process, the newest first.
	Replay(ctx context.Context, who string, request ReplayRequest) (Replay, error)
	Replays(ctx context.Context) ([]Replay, error)

	Tokens(ctx context.Context) ([]Token, error)
	CreateToken(ctx context.Context, by access.Person, request TokenRequest) (NewToken, error)
	RevokeToken(ctx context.Context, by access.Person, id string) error
}

// Model is the read model: see package readmodel.
type Model interface {
	Overview(ctx context.Context, store string, since time.Time) (readmodel.Overview, error)
	Hours(ctx context.Context, store string, since time.Time) ([]readmodel.Hour, error)
	Events(ctx context.Context, f readmodel.EventFilter) (readmodel.Page[readmodel.Event], error)
	EventTypes(ctx context.Context, store string) ([]readmodel.EventType, error)
	Texts(ctx context.Context, f readmodel.TextFilter) (readmodel.Page[readmodel.Text], error)
	Text(ctx context.Context, id string) (readmodel.TextLife, error)
	Customers(ctx context.Context, store, query string, limit int) ([]readmodel.Customer, error)
	Customer(ctx context.Context, store, id string, limit int) (readmodel.CustomerPage, error)
	DeadLetters(ctx context.Context, f readmodel.DeadLetterFilter) (readmodel.Page[readmodel.DeadLetter], error)
	DeadLetterCounts(ctx context.Context, store string) ([]readmodel.DeadLetterCount, error)
	Flows(ctx context.Context, store string, since time.Time, zone *time.Location) ([]readmodel.FlowCount, error)
	Subscribe(store string) *readmodel.Stream
	Progress() readmodel.Progress
}

// operations is what the operator's part remembers.
type operations struct {
	checks  checks
	lags    lags
	replays replays
	// stopping is closed when the service is replaced, or the process stops.
	stopping chan struct{}
	once     sync.Once
	working  sync.WaitGroup
}

func (o *operations) begin(s *Service) {
	o.stopping = make(chan struct{})
	o.checks.rows, o.lags.now = map[string]*checked{}, s.cfg.Now
}

// Stop ends what Live returned and the replays and pushes that run, and waits for these: the next push continues. What else the service does goes on.
func (s *Service) Stop() {
	s.ops.once.Do(func() { close(s.ops.stopping) })
	s.pushes.stop()
	s.ops.working.Wait()
	s.pushes.all.Wait()
	s.ops.lags.close()
}

// known returns an error for a store that is not configured; "" stands for all.
func (s *Service) known(store string) error {
	if store == "" {
		return nil
	}
	_, err := s.store(store)
	return err
}

// ofModel gives an error of the read model its kind.
func ofModel(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, readmodel.ErrNotFound):
		return fmt.Errorf("%w: %s", ErrNotFound, what)
	case errors.Is(err, readmodel.ErrSlow):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case errors.Is(err, readmodel.ErrCursor):
		return invalid("cursor", "is not that of a page of this list")
	}
	return fmt.Errorf("read %s: %w", what, err)
}

// reached gives an error of the brokers its kind.
func reached(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, err)
}
