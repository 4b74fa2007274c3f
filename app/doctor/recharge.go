package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/registration"
)

const (
	checkToken    = "recharge token"
	checkWebhooks = "webhooks"
)

// check makes the checks of a store's API.
func (r Recharge) check(ctx context.Context, store string, now func() time.Time) []Row {
	if r.Token == "" {
		because := "recharge.token is not set"
		return []Row{
			{Check: checkToken, Status: Warning, Found: because + ": customers are not looked up", Cure: "create one " + recharge.ScopesPlace},
			notChecked(checkWebhooks, because), notChecked(checkClock, because),
		}
	}
	dates := newDates(now)
	client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: r.URL, Token: r.Token, HTTPClient: dates.client(), Now: now})
	if err != nil {
		return []Row{{Check: checkToken, Status: Failed, Found: err.Error(), Cure: "set recharge.api_url"}}
	}
	token := within(ctx, func(ctx context.Context) Row { return r.token(ctx, client) })
	webhooks := notChecked(checkWebhooks, "of the token")
	if token.Status != Failed {
		webhooks = within(ctx, func(ctx context.Context) Row { return r.webhooks(ctx, client, store) })
	}
	return []Row{token, webhooks, dates.check()}
}

// token checks the token and its scopes.
func (r Recharge) token(ctx context.Context, client *recharge.Client) Row {
	token, err := client.TokenInformation(ctx)
	if err != nil {
		return refused(checkToken, err)
	}
	row := Row{Check: checkToken, Status: OK, Found: fmt.Sprintf("%q has the scopes that are needed", token.Name)}
	if token.Scopes == nil {
		row.Status, row.Found = Warning, "Recharge does not show its scopes"
		row.Cure = "read access to Customers, Orders and Subscriptions is needed, " + recharge.ScopesPlace
		return row
	}
	registrations := r.Registrations
	if len(registrations.Secrets) == 0 {
		registrations.Secrets = []string{""} // scopes do not depend on it
	}
	if missing := registration.Missing(registration.Scopes(registrations), token.Scopes); len(missing) > 0 {
		row.Status, row.Found = Failed, fmt.Sprintf("%q lacks %s", token.Name, strings.Join(missing, ", "))
		row.Cure = "grant read access " + recharge.ScopesPlace
	}
	return row
}

// refused is the row of a call that failed.
func refused(check string, err error) Row {
	row := Row{Check: check, Status: Failed, Found: err.Error(), Cure: "check recharge.api_url, and the network"}
	var failed *recharge.APIError
	if errors.As(err, &failed) && failed.Advice() != "" {
		row.Cure = failed.Advice()
	} else if errors.As(err, &failed) && failed.Status != 0 {
		row.Cure = "Recharge has a fault or limits the rate: try again later"
	}
	return row
}

// webhooks compares what is registered with what the store needs.
func (r Recharge) webhooks(ctx context.Context, client *recharge.Client, store string) Row {
	setup := "rechargeflow setup --store " + store
	switch {
	case len(r.Registrations.Secrets) == 0:
		return notChecked(checkWebhooks, "recharge.secrets is not set here")
	case r.Registrations.URL == "":
		row := notChecked(checkWebhooks, "recharge.webhook_url is not set")
		row.Cure = "set it, or compare with " + setup + " --dry-run --url and the URL of the gateway"
		return row
	}
	found, err := client.Webhooks(ctx)
	if err != nil {
		return refused(checkWebhooks, err)
	}
	return compared(registration.Plan(r.Registrations, found), setup)
}

// compared sums up registrations. Without one, or with one whose webhooks are refused, webhooks are lost.
func compared(rows []registration.Row, setup string) Row {
	topics := map[registration.Status][]string{}
	lost := false
	for _, row := range rows {
		topics[row.Status] = append(topics[row.Status], described(row))
		lost = lost || loses(row)
	}
	var wrong []string
	for _, status := range []registration.Status{registration.StatusMissing, registration.StatusAltered, registration.StatusDuplicate} {
		if names := topics[status]; len(names) > 0 {
			wrong = append(wrong, fmt.Sprintf("%d %s: %s", len(names), status, strings.Join(names, ", ")))
		}
	}
	switch {
	case len(wrong) == 0:
		return Row{Check: checkWebhooks, Status: OK, Found: fmt.Sprintf("%d registered, as needed", len(topics[registration.StatusOK]))}
	case lost:
		return Row{Check: checkWebhooks, Status: Failed, Found: strings.Join(wrong, "; "), Cure: setup}
	}
	return Row{Check: checkWebhooks, Status: Warning, Found: strings.Join(wrong, "; "), Cure: setup}
}

func described(row registration.Row) string {
	if len(row.Differs) == 0 {
		return string(row.Topic)
	}
	return fmt.Sprintf("%s (%s)", row.Topic, strings.Join(row.Differs, ", "))
}

// loses reports whether webhooks of a topic are not accepted.
func loses(row registration.Row) bool {
	return row.Status == registration.StatusMissing || row.Status == registration.StatusAltered &&
		slices.ContainsFunc(row.Differs, func(d string) bool { return d == registration.DiffersBadToken || d == registration.DiffersTopic })
}
