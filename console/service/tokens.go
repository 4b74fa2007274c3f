package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// Token is a token of the API, without its secret.
type Token struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	By      string    `json:"by"` // who created it
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Valid   bool      `json:"valid"`
	// LastUsed is when this process got a request with it last; zero if it has not since it was started.
	LastUsed time.Time `json:"last_used,omitzero"`
	// RevokedBy is who revoked it; "" if nobody did.
	RevokedBy string    `json:"revoked_by,omitempty"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// NewToken is a token that was just created: its secret is shown once.
type NewToken struct {
	Token

	Secret string `json:"secret"`
}

// TokenRequest says what a token may do, and for how long.
type TokenRequest struct {
	Name string `json:"name"`
	Role string `json:"role"`
	// Days is how long it is valid; 0 for 90.
	Days int `json:"days,omitempty"`
}

// defaultTokenDays is how long a token is valid.
const defaultTokenDays = 90

// Tokens returns all tokens, also those that are not valid any more, the newest first.
func (s *Service) Tokens(context.Context) ([]Token, error) {
	tokens := []Token{}
	for _, t := range s.cfg.Tokens.List() {
		tokens = append(tokens, tokenOf(t, s.cfg.Now()))
	}
	return tokens, nil
}

func tokenOf(t access.Token, now time.Time) Token {
	token := Token{
		ID: t.ID, Name: t.Name, Role: t.Role, By: t.CreatedBy, Created: t.CreatedAt, Expires: t.ExpiresAt, LastUsed: t.LastUsed, Valid: t.IsValid(now),
	}
	if t.Revoked {
		token.RevokedBy, token.RevokedAt = t.By, t.At
	}
	return token
}

// CreateToken creates a token, whose secret is shown this once.
func (s *Service) CreateToken(ctx context.Context, by access.Person, request TokenRequest) (NewToken, error) {
	const most = int(settings.MaxTokenAge / (24 * time.Hour))
	if request.Days < 0 || request.Days > most {
		return NewToken{}, invalid("days", "is %d, must be from 1 to %d, or 0 for 90", request.Days, most)
	}
	now := s.cfg.Now()
	expires := now.Add(time.Duration(cmp.Or(request.Days, defaultTokenDays)) * 24 * time.Hour)
	var created access.Token
	var secret string
	err := s.write(ctx, func() (err error) {
		created, secret, err = s.cfg.Tokens.Create(ctx, by, request.Name, access.Role(request.Role), expires)
		return err
	})
	if err != nil {
		return NewToken{}, tokenError(err, ErrInvalid)
	}
	s.awaitRow(ctx, func(rows *settings.Rows[settings.Setting]) bool {
		return settings.TokenOf(rows, created.ID).Version > 0
	})
	return NewToken{Token: tokenOf(created, now), Secret: secret}, nil
}

// RevokeToken revokes a token, and waits until this process refuses it. One that was revoked already stays so.
func (s *Service) RevokeToken(ctx context.Context, by access.Person, id string) error {
	if err := s.write(ctx, func() error { return s.cfg.Tokens.Revoke(ctx, by, id) }); err != nil {
		return tokenError(err, ErrNotFound)
	}
	s.awaitRow(ctx, func(rows *settings.Rows[settings.Setting]) bool { return settings.TokenOf(rows, id).Revoked })
	return nil
}

// tokenError gives an error of a change of tokens its kind; refused is that of a token that can't be changed so.
func tokenError(err, refused error) error {
	switch {
	case errors.Is(err, ErrUnavailable):
		return err
	case errors.Is(err, settings.ErrToken):
		return fmt.Errorf("%w: %w", refused, err)
	case errors.Is(err, access.ErrNotAllowed):
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	return unreached("write settings", err)
}
