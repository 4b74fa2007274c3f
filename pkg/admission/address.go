package admission

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// AddressForm tells a caller which addresses exist.
const AddressForm = "send a POST to /webhooks/{store}/{resource}/{action}: a store of the configuration and a Recharge topic, for example /webhooks/acme/subscription/created"

// Address is the path to which a webhook is sent: /webhooks/{store}/{resource}/{action}, and perhaps a token.
type Address struct {
	Store, Resource, Action string
	Token                   string // of the last segment; "" if there is none
}

// Topic returns the topic of the address.
func (a Address) Topic() recharge.Topic { return recharge.Topic(a.Resource + "/" + a.Action) }

func (a Address) key(found recharge.Inspection) string {
	if found.CustomerID != "" {
		return a.Store + "/" + found.CustomerID
	}
	return a.Store + "/" + a.Resource + "/" + found.ResourceID
}

func (a Address) endpoint() endpoint { return endpoint{store: a.Store, topic: a.Topic()} }

const (
	tokenContext = "rechargeflow:webhook-address:v1" // so that no other message signed with the secret is a token
	tokenLength  = 22                                // 132 bits
)

// Token returns the address token of a store and topic: the first 22 characters of the base64url form of the HMAC-SHA-256 of
// "rechargeflow:webhook-address:v1\n{store}\n{topic}", with an API client secret of the store as its key. Signatures cover the body
// alone: the token ties a webhook to its topic.
func Token(store string, topic recharge.Topic, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(tokenContext + "\n" + store + "\n" + string(topic)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))[:tokenLength]
}

// Path returns the path to register for a topic, with its token.
func Path(store string, topic recharge.Topic, secret string) string {
	return "/webhooks/" + store + "/" + string(topic) + "/" + Token(store, topic, secret)
}

// hasToken compares the token with that of every secret in constant time.
func (a Address) hasToken(secrets []string) bool {
	matched := false
	for _, secret := range secrets {
		if secret != "" {
			matched = hmac.Equal([]byte(Token(a.Store, a.Topic(), secret)), []byte(a.Token)) || matched
		}
	}
	return matched
}

// WithoutSlashes returns a path without slashes that are too many: at its end and twice in a row.
func WithoutSlashes(path string) string {
	if path == "" {
		return ""
	}
	return "/" + strings.Join(strings.FieldsFunc(path, func(r rune) bool { return r == '/' }), "/")
}

// Masker hides address tokens in paths.
type Masker struct{ token *regexp.Regexp }

// NewMasker returns a Masker.
func NewMasker() Masker { return Masker{token: regexp.MustCompile(`[0-9A-Za-z_-]{20,}`)} }

// Mask returns a request for logs: method, path and peer of r, without address tokens. Those are the fifth and later segments of a
// path. Elsewhere in the path, where a token is by mistake, it is recognized by its length and its characters.
func (m Masker) Mask(r *http.Request) *http.Request {
	segments := strings.Split(r.URL.Path, "/")
	for i := range segments {
		if i > tokenSegment-1 {
			segments[i] = "***"
		} else {
			segments[i] = m.token.ReplaceAllStringFunc(segments[i], maskToken)
		}
	}
	return &http.Request{Method: r.Method, URL: &url.URL{Path: strings.Join(segments, "/")}, RemoteAddr: r.RemoteAddr}
}

// tokenSegment is the index of the token in a path that is split at its slashes.
const tokenSegment = 5

// maskToken keeps words in lower case, such as parts of topics.
func maskToken(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyz_") == "" {
		return word
	}
	return "***"
}
