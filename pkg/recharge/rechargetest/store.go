package rechargetest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// store answers GET /store for a Shopify shop. Its fields are those of a client model
// (https://github.com/ChemicalLuck/recharge-api-python, recharge/model/v2/store.py), its values those of a recorded GET /shop
// of 2021-01 (https://github.com/airbytehq/airbyte, source-recharge); no recorded response of 2021-11 is known. The reference
// names the scope read_store, that client store_info: either is accepted.
func (s *Server) store() answer {
	if !slices.ContainsFunc(s.scopes, func(scope string) bool { return scope == "read_store" || scope == "store_info" }) {
		return forbidden("read_store")
	}
	name, _, _ := strings.Cut(ShopDomain, ".")
	return found(fields{"store": fields{
		"id": 126593, "name": name, "identifier": ShopDomain, "email": "owner@example.com", "phone": "1111111111",
		"external_platform": "shopify", "checkout_platform": "shopify", "currency": "USD", "weight_unit": "g",
		"default_api_version": "2021-01", "enabled_presentment_currencies": []string{"USD"}, "disabled_currencies_historical": []string{},
		"enabled_presentment_currencies_symbols": []fields{{"currency": "USD", "locale_name": "en", "symbol": "$"}},
		"timezone":                               fields{"iana_name": "America/New_York", "name": "(GMT-05:00) America/New_York"},
		"customer_portal_base_url":               "", "merchant_portal_base_url": "", "checkout_logo_url": "",
		"created_at": "2021-04-21T11:44:38+00:00", "updated_at": "2024-05-20T16:19:44+00:00",
	}})
}

// eventsKept is how far back GET /events goes: "limited to events that occurred in the last 7 days"
// (https://github.com/airbytehq/airbyte, source-recharge, AGENTS.md).
const eventsKept = 7 * 24 * time.Hour

// events answers GET /events with the stored events; there is no GET /events/{id}. An earlier created_at_min is refused with
// the text that the same file quotes. The scope read_events is reported to exist on some plans only, so Scopes does not have
// it.
func (s *Server) events(r *http.Request) answer {
	from, ok := timeOf(r.URL.Query().Get("created_at_min"))
	if ok && s.now().Sub(from) > eventsKept {
		return refuse(http.StatusUnprocessableEntity, ShapeList, "_schema", "created_at_min must be less than 7 days ago")
	}
	return s.list(r, "events")
}
