package conn

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

const (
	// PartitionFetchBytes limits the bytes of one partition in a fetch response, except for a single larger batch.
	PartitionFetchBytes = 1 << 20
	// FetchBytes limits a whole fetch response.
	FetchBytes = 16 << 20
	// FetchGrace is how long a fetch response may take beyond the wait that the request asks for.
	FetchGrace = 5 * time.Second

	// fetchWait is how long FetchPartition lets a broker wait for records.
	fetchWait = 100 * time.Millisecond
)

// Send sends one of kafka-go's requests to a broker and returns the response.
func (p *Pool) Send(ctx context.Context, broker int32, request protocol.Message) (protocol.Message, error) {
	return wire.Send(ctx, p.transport, p.addr, broker, request)
}

// Produce sends a produce request to its broker. See wire.Produce for buffer.
func (p *Pool) Produce(ctx context.Context, request wire.ProduceRequest, buffer []byte) ([]wire.ProduceResult, []byte, error) {
	request.ClientID = p.transport.ClientID
	began := time.Now()
	answers, buffer, err := wire.Produce(ctx, p.transport, p.addr, request, buffer)
	p.measureProduce(began, request.Batches, answers, err)
	return answers, buffer, err
}

// Fetch sends a fetch request for committed records to its broker.
func (p *Pool) Fetch(ctx context.Context, request wire.FetchRequest) ([]wire.FetchResult, error) {
	request.ClientID, request.ReadCommitted = p.transport.ClientID, true
	request.MaxBytes = FetchBytes
	began := time.Now()
	answers, err := wire.Fetch(ctx, p.transport, p.addr, request)
	p.measureFetch(began, answers, err)
	return answers, err
}

// FetchPartition fetches committed records of one partition from an offset on, about maxBytes at most. It returns no
// records if none arrive within a moment.
func (p *Pool) FetchPartition(ctx context.Context, at wire.Partition, offset int64, maxBytes int32) (wire.FetchResult, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWait+FetchGrace)
	defer cancel()
	if _, err := p.Metadata(ctx); err != nil {
		return wire.FetchResult{}, err
	}
	leader, err := p.Leader(at.Topic, at.ID)
	if err != nil {
		return wire.FetchResult{}, fmt.Errorf("fetch: %w", err)
	}
	answers, err := p.Fetch(ctx, wire.FetchRequest{
		Broker: leader, Wait: fetchWait, Partitions: []wire.FetchPartition{{Partition: at, Offset: offset, MaxBytes: maxBytes}},
	})
	if err != nil {
		return wire.FetchResult{}, fmt.Errorf("fetch: %w", err)
	}
	if len(answers) != 1 {
		return wire.FetchResult{}, fmt.Errorf("fetch: %w", ErrMissingPartition)
	}
	if code := answers[0].Code; code != 0 {
		return wire.FetchResult{}, fmt.Errorf("fetch: %w", kafka.Error(code))
	}
	return answers[0], nil
}
