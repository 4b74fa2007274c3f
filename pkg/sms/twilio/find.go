package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

const (
	// clockSkew is how much earlier by Twilio's clock a text may have been created than its call began by ours, if an answer has no Date.
	clockSkew = time.Minute
	// rounding is how much earlier date_created may be than what it stands for: it is in whole seconds, and Twilio's machines differ.
	rounding = 2 * time.Second
	// pageSize is how many texts to the number are looked at, the newest first.
	pageSize = "20"
)

// Find looks for a text in the list of the texts to its number (https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources).
// The list can't be searched by anything that we gave the text. It is found if exactly one text with its body was created since the call began.
func (d *Driver) Find(ctx context.Context, m sms.Message, began time.Time) (sms.Receipt, bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.messages()+"?"+url.Values{"To": {m.To}, "PageSize": {pageSize}}.Encode(), nil)
	if err != nil {
		return sms.Receipt{}, false, fmt.Errorf("build request: %w", err)
	}
	req.SetBasicAuth(d.user, d.password)
	answer, err := d.client.Call(req, m)
	if err != nil {
		return sms.Receipt{}, false, err //nolint:wrapcheck // a *sms.SendError
	}
	if !answer.OK() {
		return sms.Receipt{}, false, refused(answer)
	}
	var list struct {
		Messages []resource `json:"messages"`
	}
	if json.Unmarshal(answer.Body, &list) != nil {
		return sms.Receipt{}, false, errors.New("the list of texts is not JSON")
	}
	found, since := "", createdSince(began, answer.Date, d.client.Now())
	for _, r := range list.Messages {
		switch {
		case !r.is(m, since):
		case found != "":
			return sms.Receipt{}, false, nil // one of them may be another text
		default:
			found = r.SID
		}
	}
	return sms.Receipt{ProviderID: found}, found != "", nil
}

// createdSince returns since when, by Twilio's clock, the text of a call was created that began at a time by ours. An answer that has just arrived
// says how far the clocks differ: Date is earlier than Twilio's clock is now, by the time on its way and less than a second.
func createdSince(began, date, now time.Time) time.Time {
	if date.IsZero() {
		return began.Add(-clockSkew)
	}
	return began.Add(date.Sub(now)).Add(-rounding)
}

// is reports whether a message can be the text of a call, which was created since a time.
func (r resource) is(m sms.Message, since time.Time) bool {
	created, err := time.Parse(time.RFC1123Z, r.DateCreated)
	return err == nil && r.SID != "" && r.Direction == "outbound-api" && r.To == m.To && r.Body == m.Body && !created.Before(since)
}
