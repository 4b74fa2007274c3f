package customerstate

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/state"
)

// Partitions stores the rows of each partition. [Local] is the implementation; tests have another.
type Partitions interface {
	TakeOver(ctx context.Context, partition int) error
	Release(partition int)
	Begin(partition int) Overlay
}

// Overlay is the view of a partition's rows in one transaction: see [state.Overlay].
type Overlay interface {
	Get(key []byte) []byte
	Set(key, value []byte)
	ScanFrom(prefix, from []byte) iter.Seq2[[]byte, []byte]
	Rows() ([]kafka.Record, error)
	Apply()
	Drop()
}

// Local stores the rows in a local state store.
type Local struct{ *state.Store }

// TakeOver restores the local copy of a partition.
func (l Local) TakeOver(ctx context.Context, partition int) error {
	return l.Partition(partition).TakeOver(ctx)
}

// Release releases a partition.
func (l Local) Release(partition int) { l.Partition(partition).Release() }

// Begin opens an overlay.
func (l Local) Begin(partition int) Overlay { return l.Partition(partition).Begin() }

// Lookups is the queue of lookup requests: see [lookup.Queue].
type Lookups interface {
	Add(partition int, requests ...recharge.LookupRequest)
	Remove(partition int)
}

// Metrics counts lookups.
type Metrics interface {
	Lookup(store, kind, outcome string)
}

// Config configures a Store. All fields are required.
type Config struct {
	Partitions Partitions
	Lookups    Lookups
	Metrics    Metrics
	Log        *zap.Logger
}

// Store holds the transformer's rows of all partitions. A partition is used by one goroutine at a time.
type Store struct {
	Config

	mu         sync.Mutex
	partitions map[int]*partition
}

// partition is the state of a partition that is not in its rows.
type partition struct {
	number int
	format byte // the greatest version of its rows, as far as is committed
	codec  *codec
	pass   pass
}

// New returns a Store.
func New(config Config) *Store {
	return &Store{Config: config, partitions: make(map[int]*partition)}
}

func (s *Store) partition(number int) *partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.partitions[number]
	if !ok {
		p = &partition{number: number, codec: newCodec()}
		s.partitions[number] = p
	}
	return p
}

// TakeOver restores a partition's rows and queues its lookup requests. ErrNewerRows means that this build can't read the rows.
func (s *Store) TakeOver(ctx context.Context, number int) error {
	s.Lookups.Remove(number)
	if err := s.Partitions.TakeOver(ctx, number); err != nil {
		return err
	}
	requests, err := s.inspect(number)
	if err != nil {
		return fmt.Errorf("take over customers of partition %d: %w", number, err)
	}
	s.Lookups.Add(number, requests...)
	return nil
}

// inspect reads the partition's format and its lookup requests.
func (s *Store) inspect(number int) ([]recharge.LookupRequest, error) {
	p, rows := s.partition(number), s.Partitions.Begin(number)
	defer rows.Drop()
	p.format = 0
	if row := rows.Get([]byte(formatRow)); len(row) > 0 {
		p.format = row[0]
	}
	if p.format > version {
		return nil, newerError(p.format)
	}
	requests, err := (&Tx{store: s, partition: p, rows: rows}).pendingLookups()
	if err != nil {
		return nil, err
	}
	_, err = rows.Rows() // the error says that rows could not be read
	return requests, err
}

// Release releases a partition, which another process owns from now on.
func (s *Store) Release(number int) {
	s.Lookups.Remove(number)
	s.Partitions.Release(number)
}

// Begin starts a transaction on a partition.
func (s *Store) Begin(number int) *Tx {
	return &Tx{store: s, partition: s.partition(number), rows: s.Partitions.Begin(number)}
}
