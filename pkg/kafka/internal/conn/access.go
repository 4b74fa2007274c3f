package conn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/endtxn"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
	"github.com/segmentio/kafka-go/protocol/initproducerid"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// TopicAccess is what a broker says about a topic that is asked for by name. Without a name, as in Metadata, topics that this
// client may not see look like missing ones.
type TopicAccess struct {
	// Denied means that the client may not even see whether the topic exists: it has none of Read, Write and Describe.
	Denied bool
	// Exists is false if the topic does not exist, or is denied.
	Exists     bool
	Partitions int   // their number
	operations int32 // bits by codes of operations; zero if unknown
}

// operationCode returns the code of an operation
// (https://github.com/apache/kafka/blob/4.0/clients/src/main/java/org/apache/kafka/common/acl/AclOperation.java).
func operationCode(operation string) int {
	return map[string]int{OperationRead: 3, OperationWrite: 4, OperationDescribe: 8}[operation]
}

// Lacks reports whether Read or Write is not allowed. It is false for a topic that does not exist, and if it is unknown: brokers
// before Kafka 2.3, and some others, don't say.
func (a TopicAccess) Lacks(operation string) bool {
	known := a.operations > 0 && a.operations&(1<<operationCode(OperationDescribe)) != 0 // brokers send them only to clients that may describe
	return a.Denied || a.Exists && known && a.operations&(1<<operationCode(operation)) == 0
}

// TopicAccess asks a broker for topics by name (KIP-430:
// https://cwiki.apache.org/confluence/display/KAFKA/KIP-430+-+Return+Authorized+Operations+in+Describe+Responses).
func (p *Pool) TopicAccess(ctx context.Context, topics ...string) (map[string]TopicAccess, error) {
	found := make(map[string]TopicAccess, len(topics))
	if len(topics) == 0 {
		return found, nil
	}
	answer, err := p.sendToAny(ctx, &metadata.Request{TopicNames: topics, IncludeTopicAuthorizedOperations: true})
	if err != nil {
		return nil, fmt.Errorf("fetch metadata of topics: %w", err)
	}
	response, ok := answer.(*metadata.Response)
	if !ok {
		return nil, fmt.Errorf("fetch metadata of topics: %w", ErrUnexpectedResponse)
	}
	for _, topic := range response.Topics {
		code := kafka.Error(topic.ErrorCode)
		found[topic.Name] = TopicAccess{
			Denied: code == kafka.TopicAuthorizationFailed, operations: topic.TopicAuthorizedOperations, Partitions: len(topic.Partitions),
			Exists: code != kafka.TopicAuthorizationFailed && code != kafka.UnknownTopicOrPartition,
		}
	}
	return found, nil
}

// MissingRights returns those of the rights to groups, transactional IDs and the cluster that are missing. It sends requests that
// brokers refuse in any case, and whose rights they check first
// (https://github.com/apache/kafka/blob/4.0/core/src/main/scala/kafka/server/KafkaApis.scala).
func (p *Pool) MissingRights(ctx context.Context, rights ...Right) (missing []Right, err error) {
	for _, right := range rights {
		code, err := p.probe(ctx, right)
		if err != nil {
			return nil, fmt.Errorf("check %v: %w", right, err)
		}
		if code == deniedCode(right.Resource) {
			missing = append(missing, right)
		}
	}
	return missing, nil
}

// probe returns the broker's answer to a request that needs a right.
func (p *Pool) probe(ctx context.Context, right Right) (kafka.Error, error) {
	var request protocol.Message
	switch right.Resource {
	case ResourceGroup: // of a member that does not exist
		request = &heartbeat.Request{GroupID: right.Name, GenerationID: -1, MemberID: "access-check"}
	case ResourceTransactional: // of an id that nobody uses: the ids of partitions may have a transaction in progress
		request = &endtxn.Request{TransactionalID: right.Name + "access-check", ProducerID: -1, ProducerEpoch: -1}
	case ResourceCluster: // assigns a producer id, which is not used
		request = &initproducerid.Request{ProducerID: -1, ProducerEpoch: -1}
	default:
		return 0, nil
	}
	answer, err := p.sendToAny(ctx, request)
	if err != nil {
		return 0, err
	}
	switch response := answer.(type) {
	case *heartbeat.Response:
		return kafka.Error(response.ErrorCode), nil
	case *endtxn.Response:
		return kafka.Error(response.ErrorCode), nil
	case *initproducerid.Response:
		return kafka.Error(response.ErrorCode), nil
	}
	return 0, ErrUnexpectedResponse
}

// sendToAny sends a request to the brokers one after the other, until one answers.
func (p *Pool) sendToAny(ctx context.Context, request protocol.Message) (protocol.Message, error) {
	cluster, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	ids := cluster.BrokerIDs()
	if len(ids) == 0 {
		return nil, errors.New("the cluster has no broker")
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	for _, id := range ids {
		var answer protocol.Message
		if answer, err = p.Send(ctx, id, request); err == nil || ctx.Err() != nil {
			return answer, err
		}
	}
	return nil, err
}
