package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/template"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// Webhook is one webhook to send.
type Webhook struct {
	About string
	Store string
	Topic string
	// Sign selects the signatures: both, legacy or wrong.
	Sign string
	Body []byte
	// Traceparent, if set, is in every log line and record caused by the webhook.
	Traceparent string
}

// Script is a txtar file of webhooks and of customers of the API.
type Script struct {
	Webhooks  []Webhook
	Customers map[string][]byte
}

// ParseScript reads a script. A file named "{n} {topic} [store=..] [sign=..]" is
// a webhook: a line of description, then its body. A file named
// "customers/{id}.json" is the API's answer. Times are templates: {{ago `2h`}} in
// the spelling of API version 2021-11, {{eastern `2h`}} in that of 2021-01, and
// {{day 3}} the date in three days.
func ParseScript(raw []byte, now time.Time) (Script, error) {
	eastern, err := time.LoadLocation("America/New_York")
	if err != nil {
		return Script{}, fmt.Errorf("load time zone: %w", err)
	}
	ago := func(d string, layout string, zone *time.Location) (string, error) {
		before, err := time.ParseDuration(d)
		return now.Add(-before).In(zone).Format(layout), err
	}
	times, err := template.New("script").Funcs(template.FuncMap{
		"ago":     func(d string) (string, error) { return ago(d, "2006-01-02T15:04:05+00:00", time.UTC) },
		"eastern": func(d string) (string, error) { return ago(d, "2006-01-02T15:04:05", eastern) },
		"day":     func(n int) string { return now.AddDate(0, 0, n).In(eastern).Format(time.DateOnly) },
	}).Parse(string(raw))
	if err != nil {
		return Script{}, fmt.Errorf("parse script: %w", err)
	}
	var filled bytes.Buffer
	if err := times.Execute(&filled, nil); err != nil {
		return Script{}, fmt.Errorf("fill script: %w", err)
	}
	return script(txtar.Parse(filled.Bytes())), nil
}

func script(archive *txtar.Archive) Script {
	s := Script{Customers: map[string][]byte{}}
	for _, f := range archive.Files {
		if id, ok := strings.CutPrefix(f.Name, "customers/"); ok {
			s.Customers[strings.TrimSuffix(id, ".json")] = f.Data
			continue
		}
		s.Webhooks = append(s.Webhooks, webhook(f))
	}
	return s
}

func webhook(f txtar.File) Webhook {
	w := Webhook{Store: Store, Sign: "both"}
	for i, word := range strings.Fields(f.Name) {
		key, value, _ := strings.Cut(word, "=")
		switch {
		case i == 1:
			w.Topic = word
		case key == "store":
			w.Store = value
		case key == "sign":
			w.Sign = value
		}
	}
	about, body, _ := bytes.Cut(f.Data, []byte("\n"))
	w.About, w.Body = string(about), bytes.TrimSpace(body)
	return w
}

// Send signs the webhook now, posts it to the lab's gateway and returns the response's status and body.
func (l *Lab) Send(ctx context.Context, w Webhook) (int, string, error) {
	url := fmt.Sprintf("http://%s/webhooks/%s/%s", l.Gateway, w.Store, w.Topic)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(w.Body))
	if err != nil {
		return 0, "", fmt.Errorf("build webhook: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	if w.Traceparent != "" {
		request.Header.Set("Traceparent", w.Traceparent)
	}
	switch w.Sign {
	case "legacy":
		rechargetest.SignLegacy(request.Header, w.Body, Secret)
	case "wrong":
		rechargetest.Sign(request.Header, w.Body, "not "+Secret, l.Now())
	default:
		rechargetest.Sign(request.Header, w.Body, Secret, l.Now())
	}
	return l.post(request)
}

// Callback posts a callback of the SMS gateway, signed now, and returns the response's status and body.
func (l *Lab) Callback(ctx context.Context, c smstest.Callback) (int, string, error) {
	c.Store = Store
	signed := c.Request(SMSSecret, l.Now())
	request, err := http.NewRequestWithContext(ctx, signed.Method, "http://"+l.Gateway+signed.URL.RequestURI(), signed.Body)
	if err != nil {
		return 0, "", fmt.Errorf("build callback: %w", err)
	}
	request.Header = signed.Header
	return l.post(request)
}

// post sends a request to the gateway.
func (l *Lab) post(request *http.Request) (int, string, error) {
	response, err := l.client.Do(request)
	if err != nil {
		return 0, "", fmt.Errorf("send %s: %w", request.URL.Path, err)
	}
	defer func() { _ = response.Body.Close() }() // read to its end
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, "", fmt.Errorf("read response: %w", err)
	}
	return response.StatusCode, strings.TrimSpace(string(body)), nil
}
