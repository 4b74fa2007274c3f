package bloomreachtest

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// refusal is the response to a request that is refused as a whole.
type refusal struct {
	status int
	text   string
}

// badRequest is Bloomreach's response to a compressed or malformed body
// (https://documentation.bloomreach.com/engagement/docs/most-common-api-issues).
const badRequest = "BadRequest: The browser (or proxy) sent a request that this server could not understand."

// checkAccess checks everything but the content of the body.
func (s *settings) checkAccess(r *http.Request, body []byte) *refusal {
	for _, check := range []func(*http.Request) *refusal{checkRoute, checkProject, s.checkCredentials, checkHeaders} {
		if refused := check(r); refused != nil {
			return refused
		}
	}
	switch {
	case bytes.HasPrefix(body, []byte("\x1f\x8b")): // gzip, whatever the headers say
		return &refusal{http.StatusBadRequest, badRequest}
	case s.limit > 0 && len(body) > s.limit:
		return &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("Body exceeds %d bytes (simulator)", s.limit)}
	}
	return nil
}

// checkRoute checks path and method. The text for a wrong path is from
// https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors.
func checkRoute(r *http.Request) *refusal {
	if _, ok := project(r); !ok {
		return &refusal{http.StatusNotFound, "The requested URL was not found on the server"}
	}
	if r.Method != http.MethodPost {
		return &refusal{http.StatusMethodNotAllowed, "Method not allowed (simulator)"}
	}
	return nil
}

// project returns the token in /track/v2/projects/{token}/batch.
func project(r *http.Request) (string, bool) {
	after, ok := strings.CutPrefix(r.URL.EscapedPath(), "/track/v2/projects/")
	if !ok {
		return "", false
	}
	escaped, ok := strings.CutSuffix(after, "/batch")
	token, err := url.PathUnescape(escaped)
	return token, ok && err == nil && !strings.Contains(escaped, "/")
}

// checkProject checks the project token
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-authorization-errors).
func checkProject(r *http.Request) *refusal {
	if token, _ := project(r); token != ProjectToken {
		return &refusal{http.StatusBadRequest, "Could not authenticate"}
	}
	return nil
}

// checkCredentials accepts the private key and the public token
// (https://documentation.bloomreach.com/engagement/reference/technical-information). The texts are from
// https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors.
func (s *settings) checkCredentials(r *http.Request) *refusal {
	if id, secret, private := r.BasicAuth(); private {
		switch {
		case id != s.keyID:
			return &refusal{http.StatusUnauthorized, "Access key not found"}
		case secret != s.keySecret:
			return &refusal{http.StatusForbidden, "invalid secret"}
		}
		return nil
	}
	switch publicToken(r) {
	case PublicToken:
		return nil
	case "":
		return &refusal{http.StatusUnauthorized, "Access key not provided"}
	}
	return &refusal{http.StatusUnauthorized, "Access key not found"}
}

// publicToken returns the token of the header, or of the URL "where a header cannot be set".
func publicToken(r *http.Request) string {
	if token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Token "); found {
		return token
	}
	return r.URL.Query().Get("access_token")
}

// checkHeaders requires JSON (https://documentation.bloomreach.com/engagement/reference/add-event) without compression
// (https://documentation.bloomreach.com/engagement/docs/most-common-api-issues).
func checkHeaders(r *http.Request) *refusal {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	encoding := r.Header.Get("Content-Encoding")
	if err != nil || kind != "application/json" || (encoding != "" && encoding != "identity") {
		return &refusal{http.StatusBadRequest, badRequest}
	}
	return nil
}
