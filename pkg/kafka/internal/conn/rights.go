package conn

import (
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"
)

// The kinds of Right.Resource, as kafka-acls names them.
const (
	ResourceTopic         = "topic"
	ResourceGroup         = "group"
	ResourceTransactional = "transactional-id"
	ResourceCluster       = "cluster"
)

// The operations of Right.Operation (https://kafka.apache.org/documentation/#operations_resources_and_protocols).
const (
	OperationRead            = "Read"
	OperationWrite           = "Write"
	OperationDescribe        = "Describe"
	OperationDescribeConfigs = "DescribeConfigs"
	OperationIdempotentWrite = "IdempotentWrite"
)

// Right is an operation on a resource that brokers must allow: an ACL without its principal.
type Right struct {
	Operation, Resource string
	// Name is the name of the resource; empty for the cluster.
	Name string
	// Prefixed means that the right is needed for all resources whose names begin with Name.
	Prefixed bool
}

// TopicRight returns the right to an operation on a topic.
func TopicRight(operation, topic string) Right {
	return Right{Operation: operation, Resource: ResourceTopic, Name: topic}
}

// GroupRight returns the right to be a member of a consumer group.
func GroupRight(group string) Right {
	return Right{Operation: OperationRead, Resource: ResourceGroup, Name: group}
}

// TransactionsRight returns the right to transactions of all members of a consumer group.
func TransactionsRight(group string) Right {
	return Right{Operation: OperationWrite, Resource: ResourceTransactional, Name: group + "-", Prefixed: true}
}

// IdempotentWriteRight returns the right to produce idempotently. Since Kafka 3.0 every client that may write to a topic has it
// (https://cwiki.apache.org/confluence/display/KAFKA/KIP-679%3A+Producer+will+enable+the+strongest+delivery+guarantee+by+default).
func IdempotentWriteRight() Right {
	return Right{Operation: OperationIdempotentWrite, Resource: ResourceCluster}
}

// String returns operation and resource, such as "Write on topic recharge.events".
func (r Right) String() string {
	text := r.Operation + " on " + r.Resource
	if r.Name == "" {
		return text
	}
	if r.Prefixed {
		return text + "s " + r.Name + "*"
	}
	return text + " " + r.Name
}

// option returns the options of kafka-acls for the right.
func (r Right) option() string {
	text := "--operation " + r.Operation + " --" + r.Resource
	if r.Name != "" {
		text += " '" + r.Name + "'"
	}
	if r.Prefixed {
		text += " --resource-pattern-type prefixed"
	}
	return text
}

// DeniedError means that the principal of this process lacks a right. Requests succeed as soon as it is granted.
type DeniedError struct {
	Right
	Principal string
	Brokers   []string // bootstrap addresses
	Cause     error    // the broker's answer; may be nil
}

// Error names the principal, the right, and the command that grants it.
func (d *DeniedError) Error() string {
	return fmt.Sprintf("%s lacks %s: grant it with kafka-acls --bootstrap-server %s --add --allow-principal '%s' %s",
		d.Principal, d.Right, strings.Join(d.Brokers, ","), d.Principal, d.option())
}

// Unwrap returns the broker's answer.
func (d *DeniedError) Unwrap() error { return d.Cause }

// deniedCode returns the error code of requests without a right to a kind of resource.
func deniedCode(resource string) kafka.Error {
	return map[string]kafka.Error{
		ResourceTopic: kafka.TopicAuthorizationFailed, ResourceGroup: kafka.GroupAuthorizationFailed,
		ResourceTransactional: kafka.TransactionalIDAuthorizationFailed, ResourceCluster: kafka.ClusterAuthorizationFailed,
	}[resource]
}

// Explain returns a *DeniedError if err is a broker's answer that one of the rights is missing, else err. The rights are to
// different kinds of resources.
func (p *Pool) Explain(err error, needed ...Right) error {
	var already *DeniedError
	if err == nil || errors.As(err, &already) {
		return err
	}
	for _, right := range needed {
		if errors.Is(err, deniedCode(right.Resource)) {
			return p.Denied(right, err)
		}
	}
	return err
}

// Denied returns the error for a missing right.
func (p *Pool) Denied(missing Right, cause error) *DeniedError {
	return &DeniedError{Right: missing, Principal: p.dialer.Principal(), Brokers: p.brokers, Cause: cause}
}
