package settings

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Token is an API token of the console at one version. It belongs to no store. The token itself is nowhere, only its hash.
type Token struct {
	ID      string    `json:"id"`      // the first 16 digits of the hash
	Version int       `json:"version"` // 1, and 2 after it was revoked
	At      time.Time `json:"at"`      // when and by whom it was changed
	By      string    `json:"by"`

	Name      string    `json:"name"`
	Role      string    `json:"role"` // as the console defines them
	Hash      string    `json:"hash"` // SHA-256, in hexadecimal digits
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
	ExpiresAt time.Time `json:"expires_at"`
	Revoked   bool      `json:"revoked,omitempty"`
}

// IsValid reports whether the token can be used at a time.
func (t Token) IsValid(now time.Time) bool {
	return t.Version > 0 && !t.Revoked && now.Before(t.ExpiresAt)
}

// tokenID is how many digits of a hash are the ID of its token.
const tokenID = 16

// TokenID returns the ID of the token with a hash; "" if it is no hash.
func TokenID(hash string) string {
	if sum, err := hex.DecodeString(hash); err != nil || len(sum) != sha256.Size || strings.ToLower(hash) != hash {
		return ""
	}
	return hash[:tokenID]
}

// check returns an error for a token that can't be one.
func (t Token) check() error {
	switch {
	case TokenID(t.Hash) == "" || t.ID != TokenID(t.Hash):
		return fmt.Errorf("%w: %q is not the beginning of a SHA-256", ErrToken, t.ID)
	case !regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,39}$`).MatchString(t.Name):
		return fmt.Errorf("%w: the name is %q, expected 1 to 40 of a-z, 0-9, dot, hyphen and underscore", ErrToken, t.Name)
	case !slices.Contains([]string{"viewer", "editor", "operator"}, t.Role):
		return fmt.Errorf("%w: the role is %q, expected viewer, editor or operator", ErrToken, t.Role)
	case !t.ExpiresAt.After(t.CreatedAt) || t.ExpiresAt.After(t.CreatedAt.Add(MaxTokenAge)):
		return fmt.Errorf("%w: it would expire at %s, expected a time within %d days", ErrToken, t.ExpiresAt.Format(time.RFC3339), int(MaxTokenAge.Hours()/24))
	}
	return nil
}

// MaxTokenAge is the longest time for which a token is valid.
const MaxTokenAge = 366 * 24 * time.Hour

// TokensOf returns all tokens, also those that were revoked or have expired, the newest first.
func TokensOf(rows *Rows[Setting]) (all []Token) {
	for key, row := range rows.Prefix(tokenKey("")) {
		if row.Token != nil && !strings.Contains(key, versionPart) {
			all = append(all, *row.Token)
		}
	}
	slices.SortFunc(all, func(a, b Token) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	return all
}

// TokenOf returns the token with an ID; version 0 means that there never was one. If its last record can't be read, it is none: it may have been revoked.
func TokenOf(rows *Rows[Setting], id string) Token {
	if row, _ := rows.Get(tokenKey(id)); row.Token != nil && row.Token.ID == id && rows.readable(tokenKey(id)) {
		return *row.Token
	}
	return Token{}
}

// ErrToken means that a token can't be created or revoked so.
var ErrToken = errors.New("API token was not changed")

// CreateToken writes a new token, of which ID, version, At and By are set. The error wraps ErrToken if it has a fault, or if another one that is valid has
// its name.
func (s Settings) CreateToken(ctx context.Context, cluster kafka.Cluster, t Token) (Token, error) {
	t.ID, t.Version, t.At, t.By, t.Revoked = TokenID(t.Hash), 1, t.CreatedAt.UTC(), t.CreatedBy, false
	t.CreatedAt, t.ExpiresAt = t.CreatedAt.UTC(), t.ExpiresAt.UTC()
	if err := t.check(); err != nil {
		return Token{}, err
	}
	err := s.Change(ctx, cluster, s.Writer, func(rows *Rows[Setting]) ([]kafka.Record, error) {
		for _, other := range TokensOf(rows) {
			if other.ID == t.ID || other.Name == t.Name && other.IsValid(t.CreatedAt) {
				return nil, fmt.Errorf("%w: there is one with the name %s already", ErrToken, other.Name)
			}
		}
		return s.tokenRecords(t)
	})
	if err != nil {
		return Token{}, err
	}
	return t, nil
}

// RevokeToken revokes a token. It returns the token, and whether it was changed. The error wraps ErrToken if there is none.
func (s Settings) RevokeToken(ctx context.Context, cluster kafka.Cluster, id, by string, at time.Time) (now Token, changed bool, err error) {
	err = s.Change(ctx, cluster, s.Writer, func(rows *Rows[Setting]) ([]kafka.Record, error) {
		if now = TokenOf(rows, id); now.Version == 0 {
			return nil, fmt.Errorf("%w: there is none with the ID %q", ErrToken, id)
		}
		if changed = !now.Revoked; !changed {
			return nil, nil
		}
		now.Version, now.At, now.By, now.Revoked = now.Version+1, at.UTC(), by, true
		return s.tokenRecords(now)
	})
	return now, changed, err
}

func (s Settings) tokenRecords(t Token) ([]kafka.Record, error) {
	return s.records(schemas.SettingsToken, "", tokenKey(t.ID), t.Version, t.At, t)
}
