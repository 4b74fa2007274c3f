package kafkatest

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

// Token returns a token for OAUTHBEARER, without a signature. Kafka's principal is User:{subject}.
func Token(subject string, expires time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	claims, _ := json.Marshal(map[string]any{"sub": subject, "iat": time.Now().Unix() - 1, "exp": expires.Unix()}) // never fails
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(claims) + "."
}

// As returns the cluster at the port SASL with a token of a user.
func (s Secured) As(user string) kafka.Cluster {
	token := Token(user, time.Now().Add(time.Hour))
	return kafka.Cluster{
		Brokers: []string{s.SASL}, ClientID: user,
		SASL: kafka.SASL{Mechanism: kafka.MechanismOAuthBearer, Secret: kafka.StaticSecret(token)},
	}
}

// Grant grants rights to a user. They take effect a moment later.
func (s Secured) Grant(user string, rights ...kafka.Right) {
	s.t.Helper()
	request := &kafkago.CreateACLsRequest{}
	for _, r := range rights {
		request.ACLs = append(request.ACLs, kafkago.ACLEntry{
			ResourceType: resourceType(r), ResourceName: resourceName(r), ResourcePatternType: patternType(r),
			Principal: "User:" + user, Host: "*", Operation: s.operation(r), PermissionType: kafkago.ACLPermissionTypeAllow,
		})
	}
	client, done := s.client()
	defer done()
	answer, err := client.CreateACLs(s.t.Context(), request)
	require.NoError(s.t, err)
	for _, err := range answer.Errors {
		require.NoError(s.t, err)
	}
}

// Revoke revokes rights of a user. It takes effect a moment later.
func (s Secured) Revoke(user string, rights ...kafka.Right) {
	s.t.Helper()
	request := &kafkago.DeleteACLsRequest{}
	for _, r := range rights {
		request.Filters = append(request.Filters, kafkago.DeleteACLsFilter{
			ResourceTypeFilter: resourceType(r), ResourceNameFilter: resourceName(r), ResourcePatternTypeFilter: patternType(r),
			PrincipalFilter: "User:" + user, HostFilter: "*", Operation: s.operation(r), PermissionType: kafkago.ACLPermissionTypeAllow,
		})
	}
	client, done := s.client()
	defer done()
	answer, err := client.DeleteACLs(s.t.Context(), request)
	require.NoError(s.t, err)
	for _, result := range answer.Results {
		require.NoError(s.t, result.Error)
		require.Len(s.t, result.MatchingACLs, 1, "the user has the right")
	}
}

// SetPassword changes the password of User for SCRAM-SHA-512. Connections stay authenticated.
func (s Secured) SetPassword(password string) {
	s.t.Helper()
	const iterations = 4096
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	salted, err := pbkdf2.Key(sha512.New, password, salt, iterations, sha512.Size)
	require.NoError(s.t, err)
	client, done := s.client()
	defer done()
	answer, err := client.AlterUserScramCredentials(s.t.Context(), &kafkago.AlterUserScramCredentialsRequest{
		Upsertions: []kafkago.UserScramCredentialsUpsertion{
			{Name: s.User, Mechanism: kafkago.ScramMechanismSha512, Iterations: iterations, Salt: salt, SaltedPassword: salted},
		},
	})
	require.NoError(s.t, err)
	for _, result := range answer.Results {
		require.NoError(s.t, result.Error)
	}
}

// RotateCA restarts the broker with a certificate that a new CA has signed, and returns the CA's file.
func (s Secured) RotateCA() string {
	s.t.Helper()
	ca, err := newAuthority(s.dir, fmt.Sprint("ca-", time.Now().UnixNano()))
	require.NoError(s.t, err)
	require.NoError(s.t, ca.signBroker(s.dir))
	s.Restart()
	return ca.file
}

// client returns a client at the open port. done must be called.
func (s Secured) client() (client *kafkago.Client, done func()) {
	transport := &kafkago.Transport{}
	return &kafkago.Client{Addr: kafkago.TCP(s.addr), Timeout: timeout, Transport: transport}, transport.CloseIdleConnections
}

func (s Secured) operation(r kafka.Right) kafkago.ACLOperationType {
	var operation kafkago.ACLOperationType
	require.NoError(s.t, operation.UnmarshalText([]byte(r.Operation)))
	return operation
}

func resourceType(r kafka.Right) kafkago.ResourceType {
	return map[string]kafkago.ResourceType{
		"topic": kafkago.ResourceTypeTopic, "group": kafkago.ResourceTypeGroup,
		"transactional-id": kafkago.ResourceTypeTransactionalID, "cluster": kafkago.ResourceTypeCluster,
	}[r.Resource]
}

// resourceName returns the name of the resource. Kafka's name of the cluster is kafka-cluster.
func resourceName(r kafka.Right) string {
	if r.Resource == "cluster" {
		return "kafka-cluster"
	}
	return r.Name
}

func patternType(r kafka.Right) kafkago.PatternType {
	if r.Prefixed {
		return kafkago.PatternTypePrefixed
	}
	return kafkago.PatternTypeLiteral
}
