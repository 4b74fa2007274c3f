package rechargetest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// Scopes returns the scopes that the product needs. The token has them until SetScopes.
func Scopes() []string {
	return []string{"read_customers", "read_orders", "read_store", "read_subscriptions"}
}

// SetScopes sets the token's scopes. A call that needs another scope is answered with 403.
func (s *Server) SetScopes(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scopes = scopes
}

// resources returns the resources that can be listed, and the scope to read each
// (https://developer.rechargepayments.com/2021-11).
func resources() map[string]string {
	return map[string]string{
		"customers": "read_customers", "subscriptions": "read_subscriptions", "charges": "read_orders", "events": "read_events",
	}
}

// route returns the error bodies that were observed from the real API.
func (s *Server) route(r *http.Request, body []byte) answer {
	if r.Header.Get("X-Recharge-Access-Token") != s.token {
		return refuse(http.StatusUnauthorized, ShapeError, "", "bad authentication")
	}
	if version(r) != recharge.Version202111 {
		return refuse(http.StatusUpgradeRequired, ShapeErrors, "", "invalid API version")
	}
	resource, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case resource == "webhooks":
		return s.routeWebhooks(r, id, body)
	case resource == "token_information" && id == "":
		return only(r, http.MethodGet, s.tokenInformation)
	case resource == "store" && id == "":
		return only(r, http.MethodGet, s.store)
	}
	return s.routeRecords(r, resource, id)
}

func (s *Server) routeRecords(r *http.Request, resource, id string) answer {
	scope, listed := resources()[resource]
	switch {
	case !listed, resource == "events" && id != "":
		return notFound()
	case !slices.Contains(s.scopes, scope):
		return forbidden(scope)
	case resource == "events":
		return only(r, http.MethodGet, func() answer { return s.events(r) })
	case id == "":
		return only(r, http.MethodGet, func() answer { return s.list(r, resource) })
	}
	return only(r, http.MethodGet, func() answer { return s.read(resource, id) })
}

func only(r *http.Request, method string, do func() answer) answer {
	if r.Method != method {
		return refuse(http.StatusMethodNotAllowed, ShapeErrors, "", "Method Not Allowed")
	}
	return do()
}

func notFound() answer { return refuse(http.StatusNotFound, ShapeErrors, "", "Not Found") }

func forbidden(scope string) answer {
	return refuse(http.StatusForbidden, ShapeError, "", "token lacks the scope "+scope+" (simulator)")
}

// tokenInformation needs no scope. Its shape follows client models (https://github.com/ChemicalLuck/recharge-api-python),
// because no recorded response is known.
func (s *Server) tokenInformation() answer {
	return found(fields{"token_information": fields{
		"name": "rechargeflow", "contact_email": "owner@example.com", "scopes": s.scopes,
		"client": fields{"name": "rechargeflow", "email": "owner@example.com"},
	}})
}

func found(body fields) answer { return answer{status: http.StatusOK, body: encode(body)} }

// read returns one record. Processed charges that are too old for lists are not found.
func (s *Server) read(resource, id string) answer {
	if raw, known := s.raw[resource+"/"+id]; known {
		return answer{status: http.StatusOK, body: raw}
	}
	number, err := strconv.ParseInt(id, 10, 64)
	kept, known := s.records[resource][number]
	if err != nil || !known || s.vanished(resource, kept) {
		return notFound()
	}
	return found(fields{singular(resource): json.RawMessage(kept.raw)})
}

func singular(resource string) string { return strings.TrimSuffix(resource, "s") }
