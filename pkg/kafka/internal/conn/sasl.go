package conn

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/credentials"
)

// The supported SASL mechanisms.
const (
	// MechanismPlain sends the password in plain text: use it over TLS only.
	MechanismPlain = "PLAIN"
	// MechanismSCRAM256 and MechanismSCRAM512 prove to both sides that the other knows the password, without sending it
	// (RFC 5802, 7677).
	MechanismSCRAM256 = "SCRAM-SHA-256"
	MechanismSCRAM512 = "SCRAM-SHA-512"
	// MechanismOAuthBearer sends a token in plain text: use it over TLS only (RFC 7628, KIP-255).
	MechanismOAuthBearer = "OAUTHBEARER"
)

// SASL holds the credentials. The zero value means no authentication.
type SASL struct {
	// Mechanism is one of the constants above; empty for none.
	Mechanism string
	// Username is not used by OAUTHBEARER, whose token names the user.
	Username string
	// Secret returns the password, or the token of OAUTHBEARER, for a new connection. Its errors must not contain it.
	Secret func(context.Context) (string, error)
	// Extensions are sent with the token of OAUTHBEARER (KIP-342).
	Extensions map[string]string
}

// String returns mechanism and user, without the password.
func (s SASL) String() string {
	switch s.Mechanism {
	case "":
		return "none"
	case MechanismOAuthBearer:
		return s.Mechanism
	}
	return fmt.Sprintf("%s as %q", s.Mechanism, s.Username)
}

// GoString is String, for %#v.
func (s SASL) GoString() string { return s.String() }

// MarshalText is String, for JSON and loggers.
func (s SASL) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s SASL) enabled() bool { return s.Mechanism != "" }

// principal returns the name that brokers give the user by default.
func (s SASL) principal(secret string) string {
	if s.Mechanism != MechanismOAuthBearer {
		return "User:" + s.Username
	}
	if subject := credentials.Subject(secret); subject != "" {
		return "User:" + subject
	}
	return "the token's user"
}

// settings names the settings of the credentials.
func (s SASL) settings() string {
	if s.Mechanism == MechanismOAuthBearer {
		return "the token of kafka.sasl.token_file or kafka.sasl.token_command, and kafka.sasl.extensions"
	}
	return "kafka.sasl.username and kafka.sasl.password"
}

// validate checks the settings without reading the secret.
func (s SASL) validate() error {
	switch s.Mechanism {
	case "":
		return nil
	case MechanismPlain, MechanismSCRAM256, MechanismSCRAM512:
		if s.Username == "" || s.Secret == nil {
			return fmt.Errorf("SASL %s needs kafka.sasl.username and kafka.sasl.password", s.Mechanism)
		}
	case MechanismOAuthBearer:
		if s.Secret == nil {
			return fmt.Errorf("SASL %s needs kafka.sasl.token_file or kafka.sasl.token_command", s.Mechanism)
		}
	default:
		return fmt.Errorf("kafka.sasl.mechanism is %q, must be %s, %s, %s or %s",
			s.Mechanism, MechanismPlain, MechanismSCRAM256, MechanismSCRAM512, MechanismOAuthBearer)
	}
	return nil
}

// login is the mechanism and the secret of one authentication.
type login struct {
	mechanism sasl.Mechanism
	secret    string
}

// login reads the secret; nil for no authentication.
func (s SASL) login(ctx context.Context) (*login, error) {
	if !s.enabled() {
		return nil, nil
	}
	secret, err := s.Secret(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	mechanism, err := s.mechanism(secret)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAccess, err)
	}
	return &login{mechanism: mechanism, secret: secret}, nil
}

// mechanism returns the mechanism with a secret.
func (s SASL) mechanism(secret string) (sasl.Mechanism, error) {
	switch s.Mechanism {
	case MechanismPlain:
		return plain.Mechanism{Username: s.Username, Password: secret}, nil
	case MechanismSCRAM256:
		return scramMechanism(scram.SHA256, s.Username, secret)
	case MechanismSCRAM512:
		return scramMechanism(scram.SHA512, s.Username, secret)
	default:
		return oauthBearer{token: secret, extensions: s.Extensions}, nil
	}
}

func scramMechanism(algorithm scram.Algorithm, username, password string) (sasl.Mechanism, error) {
	mechanism, err := scram.Mechanism(algorithm, username, password)
	if err != nil { // it quotes the password
		return nil, errors.New("kafka.sasl.username or kafka.sasl.password has characters that SCRAM does not allow (RFC 4013)")
	}
	return mechanism, nil
}

// hiddenError is an error whose text has *** in place of a secret.
type hiddenError struct {
	error
	secret string
}

// Error returns the text without the secret.
func (e hiddenError) Error() string { return strings.ReplaceAll(e.error.Error(), e.secret, "***") }

// Unwrap returns the error, for errors.Is.
func (e hiddenError) Unwrap() error { return e.error }

// hide removes the secret from an error, in case a broker's message quotes it.
func (l *login) hide(err error) error {
	if l.secret == "" || !strings.Contains(err.Error(), l.secret) {
		return err
	}
	return hiddenError{error: err, secret: l.secret}
}
