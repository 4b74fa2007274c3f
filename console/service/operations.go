package service

import (
	"context"

	"github.com/rechargeflow/rechargeflow/pkg/timeline"
)

// Operations is what an operator sees and does, and what everybody sees of texts and customers. Who may call what is decided before.
type Operations interface {
	// Overview returns whether a store is connected, and what happened in the last 24 hours.
	Overview(ctx context.Context, store string) (Overview, error)
	// Live returns what happens in a store, or with "" in all, as it comes. The channel is closed when ctx ends, when the console stops, or when
	// the reader is too slow.
	Live(ctx context.Context, store string) (<-chan Live, error)

	Texts(ctx context.Context, query TextQuery) (TextPage, error)
	Text(ctx context.Context, store, id string) (Text, error)
	// Unknown returns the texts of unknown outcome.
	Unknown(ctx context.Context, store string) (TextPage, error)
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
	CreateToken(ctx context.Context, who, name, role string) (NewToken, error)
	RevokeToken(ctx context.Context, who, id string) error
}
