package access

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"golang.org/x/oauth2"

	"github.com/coreos/go-oidc/v3/oidc"
)

// attemptFor is how long somebody may take to log in at the provider.
const attemptFor = 10 * time.Minute

// startOIDC sends the browser to the provider.
func (a *Access) startOIDC(c echo.Context) error {
	if a.cfg.OIDC == nil {
		return refuse(c.Response().Header(), http.StatusNotFound, 0, "no OIDC provider is configured: console.oidc.issuer is empty")
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), providerTimeout)
	defer cancel()
	provider, err := a.cfg.OIDC.ask(ctx)
	if err != nil {
		a.cfg.Log.Error("log in failed, the OIDC provider does not answer", zap.Error(withoutSecrets(err)))
		return a.failed(c, http.StatusBadGateway, OIDCUnavailable, 0)
	}
	begun := attempt{
		State: newSecret(), Nonce: newSecret(), Verifier: oauth2.GenerateVerifier(), Next: safeNext(c.QueryParam("next")), Until: a.cfg.Now().Add(attemptFor),
	}
	text, err := json.Marshal(begun)
	if err != nil {
		return err
	}
	oidcCookie.set(c, visitIn(ctx).from, a.state.seal("oidc", string(text)))
	return c.Redirect(http.StatusSeeOther, a.cfg.OIDC.flow(provider, a.callbackURL()).AuthCodeURL(begun.State, oidc.Nonce(begun.Nonce), oauth2.S256ChallengeOption(begun.Verifier)))
}

func (a *Access) callbackURL() string { return strings.TrimSuffix(a.cfg.URL, "/") + PathCallback }

// finishOIDC begins a session for whom the provider has sent back.
func (a *Access) finishOIDC(c echo.Context) error {
	if a.cfg.OIDC == nil {
		return refuse(c.Response().Header(), http.StatusNotFound, 0, "no OIDC provider is configured: console.oidc.issuer is empty")
	}
	from := visitIn(c.Request().Context()).from
	begun, ok := a.attemptOf(c, from)
	oidcCookie.remove(c, from) // of use once
	if !ok || !a.isAnswer(c, begun) {
		return a.failed(c, http.StatusBadRequest, OIDCExpired, 0)
	}
	if refused := c.QueryParam("error"); refused != "" {
		a.cfg.Log.Warn("log in failed, the OIDC provider has refused it", zap.String("error", shown(refused)))
		return a.failed(c, http.StatusUnauthorized, OIDCRefused, 0)
	}
	address := networkOf(from.client)
	if wait := a.state.addresses.take(address, a.cfg.Now()); wait > 0 {
		return a.failed(c, http.StatusTooManyRequests, Limited, wait)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), providerTimeout)
	defer cancel()
	found, err := a.cfg.OIDC.claimsOf(ctx, a.callbackURL(), c.QueryParam("code"), begun)
	if err != nil {
		return a.claimsFailed(c, address, err)
	}
	person, err := a.cfg.OIDC.personOf(found)
	if err != nil {
		a.cfg.Log.Warn("log in refused", zap.String("address", address), zap.Error(err))
		status, outcome := http.StatusUnauthorized, OIDCRefused
		if errors.Is(err, errNoRole) {
			status, outcome = http.StatusForbidden, NoRole
		}
		return a.failed(c, status, outcome, 0)
	}
	a.state.addresses.giveBack(address)
	return a.enter(c, session{person: person, oidc: true, stamp: a.cfg.OIDC.stamp()}, begun.Next)
}

// claimsFailed answers an attempt for which the provider has given no claims.
func (a *Access) claimsFailed(c echo.Context, address string, err error) error {
	if errors.Is(err, errUnavailable) {
		a.cfg.Log.Error("log in failed, the OIDC provider does not answer", zap.String("address", address), zap.Error(err))
		return a.failed(c, http.StatusBadGateway, OIDCUnavailable, 0)
	}
	a.cfg.Log.Warn("log in failed, the answer of the OIDC provider is not valid", zap.String("address", address), zap.Error(err))
	return a.failed(c, http.StatusUnauthorized, OIDCRefused, 0)
}

// attemptOf returns the attempt of the browser's cookie.
func (a *Access) attemptOf(c echo.Context, from via) (begun attempt, ok bool) {
	cookie, err := c.Cookie(oidcCookie.named(from))
	if err != nil {
		return attempt{}, false
	}
	text, ok := a.state.open("oidc", cookie.Value)
	if !ok || json.Unmarshal([]byte(text), &begun) != nil {
		return attempt{}, false
	}
	return begun, a.cfg.Now().Before(begun.Until)
}

// isAnswer reports whether a request is the answer to an attempt: it has its state and, if it says so, comes from the issuer (RFC 9207).
func (a *Access) isAnswer(c echo.Context, to attempt) bool {
	issuer := c.QueryParam("iss")
	return hmac.Equal([]byte(c.QueryParam("state")), []byte(to.State)) && (issuer == "" || issuer == a.cfg.OIDC.Issuer)
}
