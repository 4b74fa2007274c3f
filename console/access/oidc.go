package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OIDC is the OpenID Connect provider that knows the people, and what its claims mean.
type OIDC struct {
	Issuer, ClientID, ClientSecret string
	Scopes                         []string // openid is added
	// NameClaim is the claim with a person's name in the console. If it is email, the provider must say that it has verified the address.
	NameClaim string
	// RoleClaim is the claim whose values Roles maps to roles; the greatest counts. A person without any of them gets DefaultRole, and does not get
	// in if that is empty.
	RoleClaim   string
	Roles       map[string]Role
	DefaultRole Role
	// Domains are the domains of e-mail addresses that get in, all if there are none. The provider must have verified the address.
	Domains []string
	Client  *http.Client

	mu       sync.Mutex
	provider *oidc.Provider // nil until it has answered
}

// providerTimeout limits the requests to the provider of one attempt to log in.
const providerTimeout = 10 * time.Second

// stamp identifies what roles come from: it differs when the settings do.
func (o *OIDC) stamp() string {
	settings, _ := json.Marshal([]any{o.Issuer, o.ClientID, o.NameClaim, o.RoleClaim, o.Roles, o.DefaultRole, o.Domains}) // texts only
	sum := sha256.Sum256(settings)
	return hex.EncodeToString(sum[:])
}

// ask returns the provider, which it asks for its configuration at the first time.
func (o *OIDC) ask(ctx context.Context) (*oidc.Provider, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.provider != nil {
		return o.provider, nil
	}
	provider, err := oidc.NewProvider(o.context(ctx), o.Issuer)
	if err != nil {
		return nil, fmt.Errorf("read configuration of OIDC provider: %w", err)
	}
	o.provider = provider
	return provider, nil
}

func (o *OIDC) context(ctx context.Context) context.Context {
	if o.Client == nil {
		return ctx
	}
	return oidc.ClientContext(ctx, o.Client)
}

func (o *OIDC) flow(provider *oidc.Provider, redirect string) *oauth2.Config {
	scopes := []string{oidc.ScopeOpenID}
	for _, scope := range o.Scopes {
		if scope != oidc.ScopeOpenID {
			scopes = append(scopes, scope)
		}
	}
	return &oauth2.Config{ClientID: o.ClientID, ClientSecret: o.ClientSecret, Endpoint: provider.Endpoint(), RedirectURL: redirect, Scopes: scopes}
}

// attempt is an attempt to log in at the provider. The browser has it in a signed cookie, so it takes no memory here.
type attempt struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Next     string    `json:"next"`
	Until    time.Time `json:"until"`
}

// claimsOf exchanges a code for tokens, verifies the ID token, and returns the claims of the person.
func (o *OIDC) claimsOf(ctx context.Context, redirect, code string, begun attempt) (claims, error) {
	provider, err := o.ask(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnavailable, withoutSecrets(err))
	}
	ctx = o.context(ctx)
	tokens, err := o.flow(provider, redirect).Exchange(ctx, code, oauth2.VerifierOption(begun.Verifier))
	if err != nil {
		return nil, fmt.Errorf("exchange code for tokens: %w", unanswered(err))
	}
	raw, _ := tokens.Extra("id_token").(string)
	verified, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: o.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("verify ID token: %w", err)
	}
	if verified.Nonce != begun.Nonce {
		return nil, errors.New("verify ID token: it has the nonce of another attempt")
	}
	found := claims{}
	if err := verified.Claims(&found); err != nil {
		return nil, fmt.Errorf("read claims of ID token: %w", err)
	}
	return o.complete(ctx, provider, tokens, verified.Subject, found)
}

// complete adds the claims that the provider gives at another endpoint only.
func (o *OIDC) complete(ctx context.Context, provider *oidc.Provider, tokens *oauth2.Token, subject string, found claims) (claims, error) {
	_, hasName := found[o.NameClaim]
	_, hasRole := found[o.RoleClaim]
	if hasName && (hasRole || o.RoleClaim == "") || provider.UserInfoEndpoint() == "" {
		return found, nil
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return nil, fmt.Errorf("read claims of the person: %w", unanswered(err))
	}
	if info.Subject != subject {
		return nil, errors.New("read claims of the person: they are of somebody else")
	}
	more := claims{}
	if err := info.Claims(&more); err != nil {
		return nil, fmt.Errorf("read claims of the person: %w", err)
	}
	maps.Copy(more, found) // what is signed counts
	return more, nil
}

// errUnavailable means that the provider does not answer.
var errUnavailable = errors.New("the provider does not answer")

// unanswered returns an error of a request to the provider without secrets. It is an errUnavailable if there was no answer, or 5xx.
func unanswered(err error) error {
	var refused *oauth2.RetrieveError
	var failed *url.Error
	if errors.As(err, &failed) || errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%w: %w", errUnavailable, withoutSecrets(err))
	}
	return withoutSecrets(err)
}

// withoutSecrets returns an error without URLs and bodies, which may have codes and tokens.
func withoutSecrets(err error) error {
	var refused *oauth2.RetrieveError
	var failed *url.Error
	switch {
	case errors.As(err, &refused) && refused.Response != nil:
		return fmt.Errorf("the provider answered %s %s", refused.Response.Status, strings.ToValidUTF8(refused.ErrorCode, ""))
	case errors.As(err, &failed):
		return failed.Err
	}
	return err
}
