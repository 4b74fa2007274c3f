package rechargetest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Limits of a page (https://developer.rechargepayments.com/2021-11/pagination).
const (
	defaultLimit = 50
	maxLimit     = 250
)

// cursor is the content of a page's next_cursor and previous_cursor: base64 JSON as recorded by
// https://github.com/mattgenious/RechargeSharp, list-customers_200.json. The simulator's cursor also has the filters of the
// first page.
type cursor struct {
	Before    int64  `json:"starting_before_id,omitempty"`
	After     int64  `json:"starting_after_id,omitempty"`
	Sort      string `json:"sort_by"`
	Direction string `json:"cursor_dir"`
	Filters   string `json:"filters"`
}

func (c cursor) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(text)
}

// list is one page, newest first: no totals, and a next page by ?cursor=…&limit=… "without the other filters"
// (https://github.com/singer-io/tap-recharge, tap_recharge/client.py). The real API's response to a cursor together with
// filters is unknown; here it is 422.
func (s *Server) list(r *http.Request, resource string) answer {
	page, problem := pageOf(r.URL.Query())
	if problem != nil {
		return *problem
	}
	filters, problem := filtersOf(resource, page.filters)
	if problem != nil {
		return *problem
	}
	var ids []int64
	for id, kept := range s.records[resource] {
		if !s.vanished(resource, kept) && !slices.ContainsFunc(filters, func(f filter) bool { return !f(kept.fields) }) {
			ids = append(ids, id)
		}
	}
	ids, next, previous := page.cut(ids)
	elements := make([]json.RawMessage, 0, len(ids))
	for _, id := range ids {
		elements = append(elements, s.records[resource][id].raw)
	}
	return found(fields{resource: elements, "next_cursor": nothing(next), "previous_cursor": nothing(previous)})
}

// page is the requested part of a list.
type page struct {
	limit   int
	at      cursor
	filters url.Values
}

func pageOf(query url.Values) (page, *answer) {
	p := page{limit: defaultLimit, filters: url.Values{}}
	if text := query.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxLimit {
			return p, invalid("limit")
		}
		p.limit = limit
	}
	query.Del("limit")
	if text := query.Get("cursor"); text != "" {
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil || json.Unmarshal(decoded, &p.at) != nil || len(query) > 1 {
			return p, invalid("cursor")
		}
		filters, err := url.ParseQuery(p.at.Filters)
		p.filters = filters
		if err != nil {
			return p, invalid("cursor")
		}
		return p, nil
	}
	p.filters = query
	return p, nil
}

func invalid(field string) *answer {
	refused := refuse(http.StatusUnprocessableEntity, ShapeList, field, "Invalid value")
	return &refused
}

// cut returns the page's ids and the cursors of the previous and next page, "" for none.
func (p page) cut(ids []int64) (cut []int64, next, previous string) {
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Compare(b, a) })
	first, last := 0, min(p.limit, len(ids))
	switch {
	case p.at.Before != 0:
		first = below(ids, p.at.Before)
		last = min(first+p.limit, len(ids))
	case p.at.After != 0:
		last = below(ids, p.at.After+1)
		first = max(0, last-p.limit)
	}
	cut = ids[first:last]
	if len(cut) == 0 {
		return nil, "", ""
	}
	to := cursor{Sort: "id-desc", Filters: p.filters.Encode()}
	if last < len(ids) {
		to.Before, to.After, to.Direction = cut[len(cut)-1], 0, "next"
		next = to.String()
	}
	if first > 0 {
		to.Before, to.After, to.Direction = 0, cut[0], "prev"
		previous = to.String()
	}
	return cut, next, previous
}

// below returns the index of the first id below a bound, among ids in descending order.
func below(ids []int64, bound int64) int {
	place := slices.IndexFunc(ids, func(id int64) bool { return id < bound })
	if place < 0 {
		return len(ids)
	}
	return place
}

// filter reports whether a list includes a record.
type filter func(record map[string]any) bool

// filtersOf returns the documented filters. It silently ignores others, as the real API does
// (https://github.com/ChemicalLuck/recharge-api-python).
func filtersOf(resource string, query url.Values) ([]filter, *answer) {
	var filters []filter
	for _, name := range filterNames(resource) {
		value, path := query.Get(name), fieldOf(resource, name)
		if value == "" {
			continue
		}
		lowest, isTime := timeOf(value)
		switch {
		case name == "ids", name == "verbs":
			filters = append(filters, func(r map[string]any) bool {
				return slices.Contains(strings.Split(value, ","), textAt(r, path))
			})
		case !strings.HasSuffix(name, "_min"):
			filters = append(filters, func(r map[string]any) bool { return strings.EqualFold(textAt(r, path), value) })
		case isTime:
			filters = append(filters, func(r map[string]any) bool {
				at, ok := timeOf(textAt(r, path))
				return ok && !at.Before(lowest)
			})
		default:
			return nil, invalid(name)
		}
	}
	return filters, nil
}

func filterNames(resource string) []string {
	switch resource {
	case "customers":
		return []string{"ids", "email", "external_customer_id", "hash", "updated_at_min"}
	case "subscriptions":
		return []string{"ids", "customer_id", "address_id", "status", "updated_at_min"}
	case "events":
		return []string{"object_type", "object_id", "customer_id", "verbs", "origin", "created_at_min"}
	}
	return []string{"ids", "customer_id", "status", "scheduled_at_min", "processed_at_min", "updated_at_min"}
}

// fieldOf returns the field that a filter compares.
func fieldOf(resource, name string) string {
	switch {
	case name == "ids", name == "verbs":
		return strings.TrimSuffix(name, "s")
	case name == "origin":
		return "source.origin"
	case name == "external_customer_id":
		return "external_customer_id.ecommerce"
	case resource == "charges" && name == "customer_id":
		return "customer.id"
	}
	return strings.TrimSuffix(name, "_min")
}
