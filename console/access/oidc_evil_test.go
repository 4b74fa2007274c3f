package access_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/console/access"
)

const attemptLasts = 10 * time.Minute

// liar is a provider whose answers a test chooses, also ones that a real provider never gives.
type liar struct {
	*httptest.Server

	t     *testing.T
	key   *rsa.PrivateKey
	sign  *rsa.PrivateKey // signs ID tokens
	alg   string
	token map[string]any // claims of the ID token
	info  map[string]any // what the userinfo endpoint answers

	refusal int  // the status of the token endpoint, if it refuses
	hangsUp bool // the token endpoint answers nothing
}

func newLiar(t *testing.T) *liar {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	l := &liar{t: t, key: key}
	mux := http.NewServeMux()
	l.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		l.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	answer := func(pattern string, with func() any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			assert.NoError(t, json.NewEncoder(w).Encode(with()))
		})
	}
	answer("/.well-known/openid-configuration", func() any {
		return map[string]any{
			"issuer": l.URL, "authorization_endpoint": l.URL + "/auth", "token_endpoint": l.URL + "/token", "jwks_uri": l.URL + "/keys",
			"userinfo_endpoint": l.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256"},
		}
	})
	answer("/keys", func() any {
		return map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "use": "sig", "kid": "k", "alg": "RS256", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		}}}
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		switch {
		case l.hangsUp:
			panic(http.ErrAbortHandler)
		case l.refusal != 0:
			w.WriteHeader(l.refusal)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		assert.NoError(t, json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": l.idToken()}))
	})
	answer("/userinfo", func() any { return l.info })
	return l
}

// idToken returns the claims as a signed token.
func (l *liar) idToken() string {
	encode := func(of any) string {
		text, err := json.Marshal(of)
		require.NoError(l.t, err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	content := encode(map[string]any{"alg": l.alg, "kid": "k"}) + "." + encode(l.token)
	if l.alg == "none" {
		return content + "."
	}
	sum := sha256.Sum256([]byte(content))
	signature, err := rsa.SignPKCS1v15(rand.Reader, l.sign, crypto.SHA256, sum[:])
	require.NoError(l.t, err)
	return content + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// What a provider, or somebody between, answers wrongly begins no session; what the settings say decides about the rest.
func TestOIDCAnswers(t *testing.T) {
	l := newLiar(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	in := http.StatusSeeOther
	for name, test := range map[string]struct {
		change func(*liar, *access.OIDC)
		status int
		person access.Person
	}{
		"as it should be": {func(*liar, *access.OIDC) {}, in, access.Person{Name: "ann@example.com", Role: access.Operator}},
		"other nonce":     {func(l *liar, _ *access.OIDC) { l.token["nonce"] = "x" }, http.StatusUnauthorized, access.Person{}},
		"no nonce":        {func(l *liar, _ *access.OIDC) { delete(l.token, "nonce") }, http.StatusUnauthorized, access.Person{}},
		"other audience":  {func(l *liar, _ *access.OIDC) { l.token["aud"] = "other" }, http.StatusUnauthorized, access.Person{}},
		"other issuer":    {func(l *liar, _ *access.OIDC) { l.token["iss"] = "https://evil.example" }, http.StatusUnauthorized, access.Person{}},
		"expired":         {func(l *liar, _ *access.OIDC) { l.token["exp"] = time.Now().Add(-time.Hour).Unix() }, http.StatusUnauthorized, access.Person{}},
		"other key":       {func(l *liar, _ *access.OIDC) { l.sign = stranger }, http.StatusUnauthorized, access.Person{}},
		"no signature":    {func(l *liar, _ *access.OIDC) { l.alg = "none" }, http.StatusUnauthorized, access.Person{}},
		"algorithm":       {func(l *liar, _ *access.OIDC) { l.alg = "HS256" }, http.StatusUnauthorized, access.Person{}},
		"claims of somebody else": {func(l *liar, _ *access.OIDC) {
			delete(l.token, "groups")
			l.info = map[string]any{"sub": "2", "groups": []string{"platform"}}
		}, http.StatusUnauthorized, access.Person{}},
		"what is signed counts": {func(l *liar, _ *access.OIDC) {
			delete(l.token, "groups")
			l.info = map[string]any{"sub": "1", "email": "eve@example.com", "groups": []string{"staff"}}
		}, in, access.Person{Name: "ann@example.com", Role: access.Viewer}},
		"not verified":       {func(l *liar, _ *access.OIDC) { l.token["email_verified"] = false }, http.StatusUnauthorized, access.Person{}},
		"nobody says so":     {func(l *liar, _ *access.OIDC) { delete(l.token, "email_verified") }, http.StatusUnauthorized, access.Person{}},
		"verified as a text": {func(l *liar, _ *access.OIDC) { l.token["email_verified"] = "true" }, in, access.Person{Name: "ann@example.com", Role: access.Operator}},
		"domain":             {func(_ *liar, o *access.OIDC) { o.Domains = []string{"Example.com"} }, in, access.Person{Name: "ann@example.com", Role: access.Operator}},
		"other domain":       {func(_ *liar, o *access.OIDC) { o.Domains = []string{"example.org", "ample.com"} }, http.StatusUnauthorized, access.Person{}},
		"two domains in one": {func(l *liar, o *access.OIDC) {
			o.Domains, l.token["email"] = []string{"example.com"}, "eve@evil.example@example.com"
		}, http.StatusUnauthorized, access.Person{}},
		"no group": {func(l *liar, _ *access.OIDC) { l.token["groups"] = []any{"guests", 7, nil} }, http.StatusForbidden, access.Person{}},
		"default role": {func(l *liar, o *access.OIDC) {
			l.token["groups"], o.DefaultRole = []any{}, access.Viewer
		}, in, access.Person{Name: "ann@example.com", Role: access.Viewer}},
		"one group as a text": {func(l *liar, _ *access.OIDC) { l.token["groups"] = "staff" }, in, access.Person{Name: "ann@example.com", Role: access.Viewer}},
		"nested claim": {func(l *liar, o *access.OIDC) {
			o.RoleClaim, l.token["realm_access"] = "realm_access.roles", map[string]any{"roles": []string{"staff"}}
		}, in, access.Person{Name: "ann@example.com", Role: access.Viewer}},
		"role by address": {func(_ *liar, o *access.OIDC) {
			o.RoleClaim, o.Roles = "email", map[string]access.Role{"ann@example.com": access.Editor}
		}, in, access.Person{Name: "ann@example.com", Role: access.Editor}},
		"role by address, not verified": {func(l *liar, o *access.OIDC) {
			o.RoleClaim, o.NameClaim, o.Roles = "email", "sub", map[string]access.Role{"ann@example.com": access.Editor}
			l.token["email_verified"] = false
		}, http.StatusForbidden, access.Person{}},
		"name is local":    {func(l *liar, o *access.OIDC) { o.NameClaim, l.token["nick"] = "nick", "local" }, http.StatusUnauthorized, access.Person{}},
		"name of a token":  {func(l *liar, o *access.OIDC) { o.NameClaim, l.token["nick"] = "nick", "token/ci" }, http.StatusUnauthorized, access.Person{}},
		"name with a line": {func(l *liar, o *access.OIDC) { o.NameClaim, l.token["nick"] = "nick", "a\nb" }, http.StatusUnauthorized, access.Person{}},
		"no name":          {func(_ *liar, o *access.OIDC) { o.NameClaim = "nick" }, http.StatusUnauthorized, access.Person{}},
	} {
		t.Run(name, func(t *testing.T) {
			var c *console
			var settings *access.OIDC
			c = newConsole(t, func(cfg *access.Config) {
				withOIDC(l.URL)(cfg)
				settings = cfg.OIDC
			})
			l.sign, l.alg = l.key, "RS256"
			l.info = map[string]any{"sub": "1"}
			b := c.browser()
			begin, err := url.Parse(b.get("/login/oidc").Header.Get("Location"))
			require.NoError(t, err)
			l.token = map[string]any{
				"iss": l.URL, "sub": "1", "aud": "console", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
				"nonce": begin.Query().Get("nonce"), "email": "ann@example.com", "email_verified": true, "groups": []string{"platform"},
			}
			test.change(l, settings)
			got := b.get("/login/oidc/callback?code=c&state=" + begin.Query().Get("state"))
			assert.Equal(t, test.status, got.StatusCode, c.form.Fault)
			status := http.StatusSeeOther
			if test.status == in {
				status = http.StatusOK
			}
			assert.Equal(t, status, b.get("/").StatusCode)
			assert.Equal(t, test.person, c.person)
			if test.status != in {
				assert.NotEmpty(t, c.form.Fault)
			}
		})
	}
}

// A provider that does not answer when a code is exchanged is not one that refuses.
func TestOIDCUnavailable(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*liar)
		status  int
		outcome access.Outcome
	}{
		"no answer": {func(l *liar) { l.hangsUp = true }, http.StatusBadGateway, access.OIDCUnavailable},
		"503":       {func(l *liar) { l.refusal = http.StatusServiceUnavailable }, http.StatusBadGateway, access.OIDCUnavailable},
		"400":       {func(l *liar) { l.refusal = http.StatusBadRequest }, http.StatusUnauthorized, access.OIDCRefused},
	} {
		l := newLiar(t)
		c := newConsole(t, withOIDC(l.URL))
		b := c.browser()
		begin, err := url.Parse(b.get("/login/oidc").Header.Get("Location"))
		require.NoError(t, err)
		test.change(l)
		assert.Equal(t, test.status, b.get("/login/oidc/callback?code=c&state="+begin.Query().Get("state")).StatusCode, name)
		assert.Equal(t, map[access.Outcome]int{test.outcome: 1}, c.outcomes, name)
	}
}

// A session ends when the settings that it comes from change.
func TestOIDCSettingsChange(t *testing.T) {
	l := newLiar(t)
	l.sign, l.alg = l.key, "RS256"
	c := newConsole(t, withOIDC(l.URL))
	b := c.browser()
	begin, err := url.Parse(b.get("/login/oidc").Header.Get("Location"))
	require.NoError(t, err)
	l.token = map[string]any{
		"iss": l.URL, "sub": "1", "aud": "console", "exp": time.Now().Add(time.Minute).Unix(), "nonce": begin.Query().Get("nonce"), "email": "ann@example.com",
		"email_verified": true, "groups": "platform",
	}
	require.Equal(t, http.StatusSeeOther, b.get("/login/oidc/callback?code=c&state="+begin.Query().Get("state")).StatusCode)
	require.Equal(t, http.StatusOK, b.get("/").StatusCode)
	c.settings.OIDC.Roles = map[string]access.Role{"platform": access.Viewer}
	assert.Equal(t, http.StatusSeeOther, b.get("/").StatusCode)
}
