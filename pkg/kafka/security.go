package kafka

import (
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/credentials"
)

// SASL holds the credentials of a Cluster.
type SASL = conn.SASL

// The supported SASL mechanisms. PLAIN sends the password in plain text, OAUTHBEARER the token: use them over TLS only.
const (
	MechanismPlain       = conn.MechanismPlain
	MechanismSCRAM256    = conn.MechanismSCRAM256
	MechanismSCRAM512    = conn.MechanismSCRAM512
	MechanismOAuthBearer = conn.MechanismOAuthBearer
)

// Right is an operation on a resource that brokers must allow.
type Right = conn.Right

// DeniedError means that the principal of this process lacks a right. It names the command that grants it.
type DeniedError = conn.DeniedError

// The operations of TopicRight.
const (
	OperationRead            = conn.OperationRead
	OperationWrite           = conn.OperationWrite
	OperationDescribeConfigs = conn.OperationDescribeConfigs
)

// TopicRight returns the right to an operation on a topic.
func TopicRight(operation, topic string) Right { return conn.TopicRight(operation, topic) }

// GroupRight returns the right to be a member of a consumer group.
func GroupRight(group string) Right { return conn.GroupRight(group) }

// TransactionsRight returns the right to the transactions of a consumer group, or of an [Exclusive] with this name.
func TransactionsRight(group string) Right { return conn.TransactionsRight(group) }

// Warn reports that something could not be read again for a new connection, and that what was read last is used.
type Warn = credentials.Warn

// Secret returns a password or token for a new connection, for SASL.Secret.
type Secret = credentials.Secret

// TLSFiles names the PEM files of TLS connections, for Cluster.TLS.
type TLSFiles = credentials.TLSFiles

// TokenCommand is a program whose output is a token.
type TokenCommand = credentials.Command

// StaticSecret returns a secret that never changes.
func StaticSecret(text string) Secret { return credentials.Static(text) }

// PasswordFile returns the password in a file, which is read again for each connection. setting is named in errors.
func PasswordFile(name, setting string, warn Warn) Secret {
	return credentials.PasswordFile(name, setting, warn)
}

// TokenFile returns the token in a file, which is read again for each connection. setting is named in errors.
func TokenFile(name, setting string, warn Warn) Secret {
	return credentials.TokenFile(name, setting, warn)
}
