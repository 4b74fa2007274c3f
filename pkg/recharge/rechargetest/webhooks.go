package rechargetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// maxWebhooks is "at most 10 per topic per token", by a guide for stores.
const maxWebhooks = 10

// Webhook is a registration. The API returns only id, address, topic and included_objects
// (https://github.com/darrylcousins/boxesapp, server/src/lib/recharge/registry.js).
type Webhook struct {
	ID       int64            `json:"id"` // of 7 digits
	Address  string           `json:"address"`
	Topic    recharge.Topic   `json:"topic"`
	Included []string         `json:"included_objects"`
	Version  recharge.Version `json:"-"` // of the bodies; "" is the store's default
}

// Webhooks returns the registrations, oldest first.
func (s *Server) Webhooks() []Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.webhooks)
}

// DropWebhooks deletes the registrations of a topic, as Recharge does after 20 failed tries: see [Outbox.OnGiveUp].
func (s *Server) DropWebhooks(gone GivenUp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhooks = slices.DeleteFunc(s.webhooks, func(w Webhook) bool { return w.Topic == gone.Topic })
}

func (s *Server) routeWebhooks(r *http.Request, id string, body []byte) answer {
	if id == "" {
		if r.Method == http.MethodPost {
			return s.register(body)
		}
		return only(r, http.MethodGet, func() answer { return s.listWebhooks(r) })
	}
	id, action, acting := strings.Cut(id, "/")
	place := slices.IndexFunc(s.webhooks, func(w Webhook) bool { return decimal(w.ID) == id })
	if place < 0 || acting && action != "test" {
		return notFound()
	}
	if acting {
		return only(r, http.MethodPost, func() answer { return s.test(s.webhooks[place]) })
	}
	switch r.Method {
	case http.MethodDelete:
		s.webhooks = slices.Delete(s.webhooks, place, place+1)
		return answer{status: http.StatusNoContent}
	case http.MethodPut:
		return s.change(place, body)
	}
	return only(r, http.MethodGet, func() answer { return found(fields{"webhook": s.webhooks[place]}) })
}

// listWebhooks returns pages like all lists, but has no filters.
func (s *Server) listWebhooks(r *http.Request) answer {
	page, problem := pageOf(r.URL.Query())
	if problem != nil {
		return *problem
	}
	ids := make([]int64, 0, len(s.webhooks))
	for _, w := range s.webhooks {
		ids = append(ids, w.ID)
	}
	ids, next, previous := page.cut(ids)
	shown := make([]Webhook, 0, len(ids))
	for _, id := range ids {
		shown = append(shown, s.webhooks[slices.IndexFunc(s.webhooks, func(w Webhook) bool { return w.ID == id })])
	}
	return found(fields{"webhooks": shown, "next_cursor": nothing(next), "previous_cursor": nothing(previous)})
}

// register answers a duplicate address and topic with the recorded error, whose text ends with the id of the existing
// registration (https://github.com/darrylcousins/boxesapp, server/src/lib/recharge/registry.js). The status is assumed.
func (s *Server) register(body []byte) answer {
	wanted, problem := s.parseWebhook(body, Webhook{Included: []string{}})
	if problem != nil {
		return *problem
	}
	same := 0
	for _, w := range s.webhooks {
		if w.Topic == wanted.Topic && w.Address == wanted.Address {
			text := fmt.Sprintf("This address and topic are registered already (simulator): %d", w.ID)
			return refuse(http.StatusUnprocessableEntity, ShapeList, "duplicate", text)
		}
		if w.Topic == wanted.Topic {
			same++
		}
	}
	if same >= maxWebhooks {
		return refuse(http.StatusUnprocessableEntity, ShapeField, "topic", "too many webhooks for this topic (simulator)")
	}
	s.created++
	wanted.ID = int64(1_000_000 + s.created)
	s.webhooks = append(s.webhooks, wanted)
	return answer{status: http.StatusCreated, body: encode(fields{"webhook": wanted})}
}

func (s *Server) change(place int, body []byte) answer {
	changed, problem := s.parseWebhook(body, s.webhooks[place])
	if problem != nil {
		return *problem
	}
	s.webhooks[place] = changed
	return found(fields{"webhook": changed})
}

// test answers POST /webhooks/{id}/test (https://github.com/ChemicalLuck/recharge-api-python, recharge/api/v2/webhooks.py).
// Neither the response nor the webhook that is sent is documented: the function given to OnTest sends it.
func (s *Server) test(w Webhook) answer {
	a := found(fields{})
	if send := s.onTest; send != nil {
		a.then = func() { send(w) }
	}
	return a
}

// OnTest sets a function that is called for each requested test of a webhook, before the response. The function chooses what to
// send ([Post]) and the secret. Nil sends nothing.
func (s *Server) OnTest(send func(Webhook)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onTest = send
}

// parseWebhook decodes a request; fields that it lacks keep their values in w.
func (s *Server) parseWebhook(body []byte, w Webhook) (Webhook, *answer) {
	var given struct {
		Address  *string           `json:"address"`
		Topic    *recharge.Topic   `json:"topic"`
		Included *[]string         `json:"included_objects"`
		Version  *recharge.Version `json:"version"`
	}
	if !strings.HasPrefix(strings.TrimSpace(string(body)), "{") || json.Unmarshal(body, &given) != nil {
		refused := refuse(http.StatusUnsupportedMediaType, ShapeErrors, "", "body is not a JSON object (simulator)")
		return w, &refused
	}
	set(&w.Address, given.Address)
	set(&w.Topic, given.Topic)
	set(&w.Included, given.Included)
	set(&w.Version, given.Version)
	if address, err := url.Parse(w.Address); err != nil || address.Host == "" {
		return w, invalid("address")
	}
	scope, known := topicScope(w.Topic)
	switch {
	case !known:
		return w, invalid("topic")
	case !slices.Contains(s.scopes, scope):
		refused := forbidden(scope)
		return w, &refused
	}
	return w, nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// topicScope: "registering for <object>/<event> requires the matching read_<object-plural> scope", by a transcription of the
// reference. Charges need the scope of orders, one-time products that of subscriptions
// (https://github.com/ChemicalLuck/recharge-api-python, WebhookTopicMap).
func topicScope(topic recharge.Topic) (string, bool) {
	scope, known := map[string]string{
		"address": "read_customers", "customer": "read_customers", "charge": "read_orders", "order": "read_orders",
		"subscription": "read_subscriptions", "onetime": "read_subscriptions", "store": "store_info", "recharge": "store_info",
	}[topic.Resource()]
	_, action, _ := strings.Cut(string(topic), "/")
	return scope, known && action != ""
}
