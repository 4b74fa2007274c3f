package recharge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// MaxPage is the largest size of a page.
const MaxPage = pageSize

// Page is one page of a list.
type Page struct {
	// Items are the resources as the API spells them in version 2021-11.
	Items []json.RawMessage
	// Next is the cursor of the next page, "" for the last one.
	Next string
}

// List reads a page of the store's customers, subscriptions or charges, limit at most, of 1 to [MaxPage], in API version 2021-11. A request for a page after
// the first one has its cursor and no filters, as in https://github.com/singer-io/tap-recharge (tap_recharge/client.py). Processed charges
// are listed for 90 days. The error is ErrTooLarge, an *InvalidError, also for a cursor that Recharge refuses, ErrUnreadable, or an *APIError.
func (c *Client) List(ctx context.Context, resource string, filters url.Values, cursor string, limit int) (Page, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	} else {
		for name := range filters {
			query.Set(name, filters.Get(name))
		}
	}
	answer, err := c.get(ctx, "/"+resource+"?"+query.Encode())
	if errors.Is(err, ErrNotFound) {
		err = &APIError{Status: http.StatusNotFound, Message: "there is no list of " + resource}
	}
	if err != nil {
		return Page{}, err
	}
	var list map[string]json.RawMessage
	var page Page
	if json.Unmarshal(answer, &list) != nil || json.Unmarshal(list[resource], &page.Items) != nil || page.Items == nil {
		return Page{}, fmt.Errorf("%w: it has no list of %s", ErrUnreadable, resource)
	}
	if next := list["next_cursor"]; len(next) > 0 && json.Unmarshal(next, &page.Next) != nil {
		return Page{}, fmt.Errorf("%w: next_cursor is not a text", ErrUnreadable)
	}
	return page, nil
}

// HasCharge reports whether Recharge shows a charge by its id. One that was processed more than 90 days ago is not shown. Errors are those of
// Customer, without ErrNotFound.
func (c *Client) HasCharge(ctx context.Context, id string) (bool, error) {
	_, err := c.get(ctx, "/charges/"+url.PathEscape(id))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
