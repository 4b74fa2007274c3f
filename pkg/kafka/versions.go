package kafka

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// versions are those of a request, low to high: one of them must be among those that a broker takes.
type versions struct {
	key       protocol.ApiKey
	low, high int16
}

// spoken are the requests that we send. kafka-go chooses versions by the highest that a broker takes and never looks at
// its lowest (conn.go, negotiate; protocol/protocol.go, SelectVersion, of v0.4.51), so that a broker that no longer takes
// an old one answers in ways that explain nothing.
func spoken() []versions {
	modern := []versions{ // by Transport, up to the newest that kafka-go knows
		{key: protocol.Produce, low: wire.ProduceVersion}, // the one that we write ourselves
		{key: protocol.Fetch, low: wire.FetchVersion},     // and read
		{key: protocol.ListOffsets, low: 1},
		{key: protocol.Metadata, low: 1},
		{key: protocol.OffsetCommit, low: 2},
		{key: protocol.OffsetFetch, low: 1},
		{key: protocol.FindCoordinator, low: 1}, // coordinators of transactions
		{key: protocol.InitProducerId, low: 3},  // that go on under their own epoch
		{key: protocol.AddPartitionsToTxn},
		{key: protocol.AddOffsetsToTxn},
		{key: protocol.TxnOffsetCommit, low: 3}, // with the member's generation
		{key: protocol.EndTxn},
		{key: protocol.DescribeConfigs},
	}
	for i := range modern {
		modern[i].high = modern[i].key.MaxVersion()
	}
	return append(modern, []versions{ // by ConsumerGroup, whose versions are fixed (conn.go)
		{protocol.Metadata, 1, 1},
		{protocol.FindCoordinator, 0, 0},
		{protocol.JoinGroup, 1, 2},
		{protocol.SyncGroup, 0, 0},
		{protocol.Heartbeat, 0, 0},
		{protocol.LeaveGroup, 0, 0},
		{protocol.OffsetCommit, 2, 2},
		{protocol.OffsetFetch, 1, 1},
	}...)
}

// misfits says which requests a broker does not take as we send them.
func misfits(broker string, takes []apiversions.ApiKeyResponse) []string {
	offered := make(map[protocol.ApiKey]apiversions.ApiKeyResponse)
	for _, each := range takes {
		offered[protocol.ApiKey(each.ApiKey)] = each
	}
	var found []string
	for _, need := range spoken() {
		have, ok := offered[need.key]
		switch {
		case !ok:
			found = append(found, fmt.Sprintf("broker %s does not take %s requests at all: take a newer Apache Kafka", broker, need.key))
		case have.MaxVersion < need.low:
			found = append(found, fmt.Sprintf("broker %s takes %s requests up to version %d, not %d: take a newer Apache Kafka",
				broker, need.key, have.MaxVersion, need.low))
		case have.MinVersion > need.high:
			found = append(found, fmt.Sprintf("broker %s takes %s requests from version %d on, not %d: take a newer rechargeflow",
				broker, need.key, have.MinVersion, need.high))
		}
	}
	return found
}

// misfits asks every broker, for in the middle of an upgrade they differ.
func (c Cluster) misfits(ctx context.Context, brokers []kafka.Broker) (found []string, err error) {
	for _, b := range brokers {
		addr := net.JoinHostPort(b.Host, strconv.Itoa(b.Port))
		takes, err := c.takes(ctx, addr)
		if err != nil {
			return nil, fmt.Errorf("ask broker %s for its versions: %w", addr, err)
		}
		found = append(found, misfits(addr, takes)...)
	}
	return found, nil
}

func (c Cluster) takes(ctx context.Context, addr string) ([]apiversions.ApiKeyResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := c.dialer().dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // asked and answered
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	answer, err := protocol.NewConn(conn, c.ClientID).RoundTrip(new(apiversions.Request))
	if err != nil {
		return nil, err
	}
	takes := answer.(*apiversions.Response)
	if takes.ErrorCode != 0 {
		return nil, kafka.Error(takes.ErrorCode)
	}
	return takes.ApiKeys, nil
}
