package conn

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go/sasl"
)

// oauthBearer is the mechanism OAUTHBEARER: https://www.rfc-editor.org/rfc/rfc7628#section-3,
// https://cwiki.apache.org/confluence/pages/viewpage.action?pageId=75968876 (KIP-255). kafka-go has none.
type oauthBearer struct {
	token      string
	extensions map[string]string
}

// separator ends each part of a message.
const separator = "\x01"

// Name implements sasl.Mechanism.
func (oauthBearer) Name() string { return MechanismOAuthBearer }

// Start returns the first message, with token and extensions.
func (o oauthBearer) Start(context.Context) (sasl.StateMachine, []byte, error) {
	message := "n,," + separator + "auth=Bearer " + o.token + separator
	for _, name := range slices.Sorted(maps.Keys(o.extensions)) {
		message += name + "=" + o.extensions[name] + separator
	}
	return &oauthBearerState{}, []byte(message + separator), nil
}

// oauthBearerState is one authentication.
type oauthBearerState struct{ refused string }

// Next ends the exchange. A broker that refuses the token sends the reason as JSON, and fails after one more message.
func (s *oauthBearerState) Next(_ context.Context, challenge []byte) (done bool, response []byte, err error) {
	switch {
	case s.refused != "":
		return false, nil, fmt.Errorf("the broker refused the token: %s", s.refused)
	case len(challenge) == 0:
		return true, nil, nil
	}
	s.refused = strings.ToValidUTF8(string(challenge[:min(len(challenge), 500)]), "?")
	return false, []byte(separator), nil
}
