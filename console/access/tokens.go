package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// tokenPrefix begins each token, so that programs that look for secrets in files can find them.
const tokenPrefix = "rft_"

// tokenName begins the name of who sends a request with a token.
const tokenName = "token/"

// Tokens are the API tokens, which are rows of recharge.settings.
type Tokens struct {
	settings settings.Settings
	cluster  kafka.Cluster
	table    *settings.Table[settings.Setting]
	now      func() time.Time
	used     sync.Map // from ID to the time of the last request, of this process
}

// NewTokens returns the tokens of a table of recharge.settings that is kept up to date.
func NewTokens(s settings.Settings, cluster kafka.Cluster, table *settings.Table[settings.Setting], now func() time.Time) *Tokens {
	return &Tokens{settings: s, cluster: cluster, table: table, now: now}
}

// Token is an API token without its secret.
type Token struct {
	settings.Token

	// LastUsed is when this process got a request with it last; zero if it has not since it was started.
	LastUsed time.Time
}

// ErrNotAllowed means that the person must not do it.
var ErrNotAllowed = errors.New("only an operator who has logged in may do this: a token creates and revokes no tokens")

// List returns all tokens, the newest first; also those that were revoked or have expired.
func (t *Tokens) List() (all []Token) {
	for _, each := range settings.TokensOf(t.table.Rows()) {
		used, _ := t.used.Load(each.ID)
		at, _ := used.(time.Time)
		all = append(all, Token{each, at})
	}
	return all
}

// Create creates a token, and returns its secret, which nothing can return again. The error wraps settings.ErrToken if name, role or time are not valid,
// and ErrNotAllowed.
func (t *Tokens) Create(ctx context.Context, by Person, name string, role Role, expires time.Time) (created Token, secret string, err error) {
	if by.Token || !by.May(Operator) {
		return Token{}, "", ErrNotAllowed
	}
	secret = tokenPrefix + newSecret()
	created.Token, err = t.settings.CreateToken(ctx, t.cluster, settings.Token{
		Name: name, Role: string(role), Hash: hashOf(secret), CreatedAt: t.now(), CreatedBy: by.Name, ExpiresAt: expires,
	})
	if err != nil {
		return Token{}, "", err
	}
	return created, secret, nil
}

// Revoke revokes a token. The error wraps settings.ErrToken if there is none with the ID, and ErrNotAllowed.
func (t *Tokens) Revoke(ctx context.Context, by Person, id string) error {
	if by.Token || !by.May(Operator) {
		return ErrNotAllowed
	}
	_, _, err := t.settings.RevokeToken(ctx, t.cluster, id, by.Name, t.now())
	return err
}

// errStarting means that the tokens are not known yet.
var errStarting = errors.New("the console is starting: it does not know the API tokens yet")

// find returns who has a token. ok is false if it is not valid.
func (t *Tokens) find(secret string) (p Person, ok bool, err error) {
	if !t.table.IsReady() {
		return Person{}, false, errStarting
	}
	hash := hashOf(secret)
	row := settings.TokenOf(t.table.Rows(), settings.TokenID(hash))
	if subtle.ConstantTimeCompare([]byte(row.Hash), []byte(hash)) != 1 || !row.IsValid(t.now()) || !strings.HasPrefix(secret, tokenPrefix) {
		return Person{}, false, nil
	}
	return Person{Name: tokenName + row.Name, Role: Role(row.Role), Token: true}, true, nil
}

// note remembers that a token was used.
func (t *Tokens) note(secret string) { t.used.Store(settings.TokenID(hashOf(secret)), t.now()) }

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
