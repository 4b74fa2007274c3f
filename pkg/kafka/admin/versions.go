package admin

import (
	"context"
	"fmt"
	"net"
	"strconv"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// requestVersions is the range of versions in which a request is sent. A broker must support one of them.
type requestVersions struct {
	key       protocol.ApiKey
	low, high int16
}

// requiredVersions returns the versions of all requests that are sent. kafka-go chooses a version by the highest that a broker
// supports and ignores its lowest (conn.go, negotiate; protocol/protocol.go, SelectVersion, of v0.4.51), so a broker that has
// dropped an old version fails with errors that explain nothing.
func requiredVersions() []requestVersions {
	byTransport := []requestVersions{ // up to the newest that kafka-go knows
		{key: protocol.Produce, low: wire.ProduceVersion}, // internal/wire
		{key: protocol.Fetch, low: wire.FetchVersion},     // internal/wire
		{key: protocol.ListOffsets, low: 1},
		{key: protocol.Metadata, low: 1},
		{key: protocol.OffsetCommit, low: 2},
		{key: protocol.OffsetFetch, low: 1},
		{key: protocol.FindCoordinator, low: 1}, // with coordinators of transactions
		{key: protocol.InitProducerId, low: 3},  // with the current epoch
		{key: protocol.AddPartitionsToTxn},
		{key: protocol.AddOffsetsToTxn},
		{key: protocol.TxnOffsetCommit, low: 3}, // with the member's generation
		{key: protocol.EndTxn},
		{key: protocol.DescribeConfigs},
	}
	for i := range byTransport {
		byTransport[i].high = byTransport[i].key.MaxVersion()
	}
	return append(byTransport, []requestVersions{ // by ConsumerGroup, whose versions are fixed (conn.go of kafka-go)
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

// unsupported returns a finding for each request of which a broker supports no required version.
func unsupported(broker string, supported []apiversions.ApiKeyResponse) []string {
	byKey := make(map[protocol.ApiKey]apiversions.ApiKeyResponse)
	for _, each := range supported {
		byKey[protocol.ApiKey(each.ApiKey)] = each
	}
	var found []string
	for _, need := range requiredVersions() {
		have, ok := byKey[need.key]
		switch {
		case !ok:
			found = append(found, fmt.Sprintf("broker %s does not support %s requests: use a newer Apache Kafka", broker, need.key))
		case have.MaxVersion < need.low:
			found = append(found, fmt.Sprintf("broker %s supports %s requests up to version %d, not %d: use a newer Apache Kafka",
				broker, need.key, have.MaxVersion, need.low))
		case have.MinVersion > need.high:
			found = append(found, fmt.Sprintf("broker %s supports %s requests from version %d on, not %d: use a newer rechargeflow",
				broker, need.key, have.MinVersion, need.high))
		}
	}
	return found
}

// checkVersions checks every broker, because they may differ during an upgrade.
func checkVersions(ctx context.Context, cluster kafka.Cluster, brokers []kafkago.Broker) (found []string, err error) {
	for _, b := range brokers {
		addr := net.JoinHostPort(b.Host, strconv.Itoa(b.Port))
		supported, err := supportedVersions(ctx, cluster, addr)
		if err != nil {
			return nil, fmt.Errorf("fetch request versions of broker %s: %w", addr, err)
		}
		found = append(found, unsupported(addr, supported)...)
	}
	return found, nil
}

func supportedVersions(ctx context.Context, cluster kafka.Cluster, addr string) ([]apiversions.ApiKeyResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, conn.DialTimeout)
	defer cancel()
	connection, err := conn.NewDialer(cluster).Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer connection.Close() //nolint:errcheck // the response has been read
	deadline, _ := ctx.Deadline()
	if err := connection.SetDeadline(deadline); err != nil {
		return nil, err
	}
	answer, err := protocol.NewConn(connection, cluster.ClientID).RoundTrip(new(apiversions.Request))
	if err != nil {
		return nil, err
	}
	response := answer.(*apiversions.Response)
	if response.ErrorCode != 0 {
		return nil, kafkago.Error(response.ErrorCode)
	}
	return response.ApiKeys, nil
}
