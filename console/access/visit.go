package access

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// visit is what Guard knows about a request.
type visit struct {
	person  Person
	csrf    string // the token that a form has; "" if there is neither session nor cookie to tie it to
	cookie  string // of the session, "" without one
	from    via
	inForce func() bool // nil: for ever
}

type visitKey struct{}

func visitIn(ctx context.Context) visit {
	v, _ := ctx.Value(visitKey{}).(visit)
	return v
}

func withVisit(ctx context.Context, v visit) context.Context {
	return context.WithValue(ctx, visitKey{}, v)
}

// visitOf finds out who sends a request: by its API token, else by the cookie of its session.
func (a *Access) visitOf(h http.Header, r *http.Request, from via) (visit, error) {
	if scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return a.programOf(h, strings.TrimSpace(secret))
	}
	v := visit{}
	if cookie, err := r.Cookie(csrfCookie.named(from)); err == nil {
		v.csrf = a.state.sign("csrf", cookie.Value)
	}
	if a.isLocal() {
		v.person = Person{Name: Local, Role: Operator}
		return v, nil
	}
	cookie, err := r.Cookie(sessionCookie.named(from))
	if err != nil {
		return v, nil
	}
	found, ok := a.state.find(cookie.Value, a.cfg.Now(), a.cfg.Limits, a.stampOf)
	if !ok {
		return v, nil
	}
	a.state.use(cookie.Value, a.cfg.Now())
	return visit{person: found.person, csrf: a.state.sign("csrf of session", cookie.Value), cookie: cookie.Value, inForce: func() bool {
		_, ok := a.state.find(cookie.Value, a.cfg.Now(), a.cfg.Limits, a.stampOf)
		return ok
	}}, nil
}

// programOf returns the visit of a program with an API token.
func (a *Access) programOf(h http.Header, secret string) (visit, error) {
	if a.cfg.Tokens == nil {
		return visit{}, refuse(h, http.StatusUnauthorized, 0, "there are no API tokens")
	}
	program, ok, err := a.cfg.Tokens.find(secret)
	switch {
	case errors.Is(err, errStarting):
		return visit{}, refuse(h, http.StatusServiceUnavailable, retryStarting, err.Error())
	case !ok:
		return visit{}, refuse(h, http.StatusUnauthorized, 0, "the API token is not valid: it does not exist, was revoked or has expired")
	}
	a.cfg.Tokens.note(secret)
	return visit{person: program, inForce: func() bool {
		_, ok, _ := a.cfg.Tokens.find(secret)
		return ok
	}}, nil
}

// stampOf returns what a session's rights come from now.
func (a *Access) stampOf(s session) string {
	switch {
	case s.oidc && a.cfg.OIDC != nil:
		return a.cfg.OIDC.stamp()
	case !s.oidc && a.cfg.People != nil:
		if e, ok := a.cfg.People.find(s.person.Name); ok {
			return e.stamp()
		}
	}
	return ""
}
