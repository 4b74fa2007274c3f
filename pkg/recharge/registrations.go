package recharge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// Registration is a webhook that is registered at Recharge: the bodies of a topic are sent to an address. Recharge does not return the
// API version of the bodies (https://github.com/darrylcousins/boxesapp, server/src/lib/recharge/registry.js).
type Registration struct {
	ID       string
	Topic    Topic
	Address  string // with its token, which is a secret
	Included []string
}

// TokenInformation describes an API token.
type TokenInformation struct {
	Name string
	// Scopes are such as read_orders; nil if Recharge did not return them.
	Scopes []string
}

// TokenInformation reads the name and the scopes of the client's token. It needs no scope. Errors are those of CreateWebhook.
//
// The response's shape is that of https://github.com/ChemicalLuck/recharge-api-python; no recorded one is known.
func (c *Client) TokenInformation(ctx context.Context) (TokenInformation, error) {
	var answer struct {
		Token struct {
			Name   string   `json:"name"`
			Scopes []string `json:"scopes"`
		} `json:"token_information"`
	}
	err := c.manage(ctx, http.MethodGet, "/token_information", nil, &answer)
	return TokenInformation(answer.Token), err
}

// maxWebhookPages limits the calls of one list: at 10 webhooks per topic there are three pages.
const maxWebhookPages = 20

// Webhooks reads all webhooks that the token's client has registered, in Recharge's order. Errors are those of CreateWebhook.
func (c *Client) Webhooks(ctx context.Context) ([]Registration, error) {
	var all []Registration
	query := url.Values{}
	for range maxWebhookPages {
		var page struct {
			Webhooks []*wireRegistration `json:"webhooks"`
			Next     text                `json:"next_cursor"`
		}
		query.Set("limit", strconv.Itoa(pageSize))
		if err := c.manage(ctx, http.MethodGet, "/webhooks?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		if page.Webhooks == nil {
			return nil, fmt.Errorf("%w: list of webhooks: %w", ErrUnreadable, ErrNoResource)
		}
		for _, w := range page.Webhooks {
			registration, err := w.registration()
			if err != nil {
				return nil, err
			}
			all = append(all, registration)
		}
		if page.Next == "" {
			return all, nil
		}
		query = url.Values{"cursor": {string(page.Next)}}
	}
	return nil, fmt.Errorf("%w: list of webhooks has more than %d pages", ErrUnreadable, maxWebhookPages)
}

// CreateWebhook registers a webhook, with bodies of API version 2021-11, and returns its id. If the address and topic are registered
// already, it looks for that webhook in the list and returns its id; it is left as it is, and created is false.
//
// It waits where Recharge limits the rate, and repeats a call that may succeed then: see [APIError.Temporary]. The error is an
// *APIError, or ErrUnreadable.
func (c *Client) CreateWebhook(ctx context.Context, r Registration) (id string, created bool, err error) {
	var answer webhookAnswer
	err = c.manage(ctx, http.MethodPost, "/webhooks", wireWebhook(r), &answer)
	var failed *APIError
	if errors.As(err, &failed) && failed.Duplicate {
		id, err = c.registered(ctx, r, err)
		return id, false, err
	}
	if err != nil {
		return "", false, err
	}
	made, err := answer.Webhook.registration()
	return made.ID, true, err
}

// registered returns the id of the webhook that has the address and topic of r. The text of the refusal has an id, too, but its form is not
// documented. The error is that refusal if the list has no such webhook.
func (c *Client) registered(ctx context.Context, r Registration, refusal error) (id string, err error) {
	all, err := c.Webhooks(ctx)
	if err != nil {
		return "", err
	}
	same := slices.IndexFunc(all, func(w Registration) bool { return w.Topic == r.Topic && w.Address == r.Address })
	if same < 0 {
		return "", refusal
	}
	return all[same].ID, nil
}

// UpdateWebhook sets the topic, the address, the included objects and the API version of the webhook with r's id. The error is
// ErrNotFound if Recharge has none, else that of CreateWebhook.
func (c *Client) UpdateWebhook(ctx context.Context, r Registration) error {
	return c.manage(ctx, http.MethodPut, "/webhooks/"+url.PathEscape(r.ID), wireWebhook(r), nil)
}

// DeleteWebhook deletes a webhook. One that does not exist any more is no error. Errors are those of CreateWebhook.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	err := c.manage(ctx, http.MethodDelete, "/webhooks/"+url.PathEscape(id), nil, nil)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// webhookAnswer is the response to a webhook that is created.
type webhookAnswer struct {
	Webhook *wireRegistration `json:"webhook"`
}

type wireRegistration struct {
	ID       id       `json:"id"`
	Topic    text     `json:"topic"`
	Address  text     `json:"address"`
	Included []string `json:"included_objects"`
}

func (w *wireRegistration) registration() (Registration, error) {
	if w == nil || w.ID == "" {
		return Registration{}, fmt.Errorf("%w: webhook: %w", ErrUnreadable, ErrNoResource)
	}
	return Registration{ID: string(w.ID), Topic: Topic(w.Topic), Address: string(w.Address), Included: w.Included}, nil
}

// wireWebhook is the body of a request (https://github.com/darrylcousins/boxesapp, server/src/lib/recharge/registry.js).
func wireWebhook(r Registration) any {
	included := r.Included
	if included == nil {
		included = []string{}
	}
	return map[string]any{"address": r.Address, "topic": r.Topic, "included_objects": included, "version": Version202111}
}

// decodeAnswer decodes a response into a value; nil ignores it.
func decodeAnswer(answer []byte, into any) error {
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return nil
}
