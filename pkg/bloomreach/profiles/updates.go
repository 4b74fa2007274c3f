// Package profiles sets properties of profiles in Bloomreach, without events, for a push of segments.
package profiles

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/membership"
)

// Client sends commands: see bloomreach.Client.
type Client interface {
	Batch(ctx context.Context, commands []bloomreach.Command) ([]bloomreach.Result, error)
}

// Updates sets properties of profiles: see membership.Destination.
type Updates struct {
	// Client returns what sends, or why nothing does.
	Client func() (Client, error)
}

// Update is that of membership.Destination. An update that is no valid command is refused without being sent.
func (u Updates) Update(ctx context.Context, updates []membership.Update) ([]membership.Answer, error) {
	answers := make([]membership.Answer, len(updates))
	var commands []bloomreach.Command
	var of []int // the update of each command
	for i, update := range updates {
		command, err := propertiesOf(update)
		if err != nil {
			answers[i].Refused = []string{err.Error()}
			continue
		}
		commands, of = append(commands, command), append(of, i)
	}
	if len(commands) == 0 {
		return answers, nil
	}
	client, err := u.Client()
	if err != nil {
		return nil, err
	}
	results, err := client.Batch(ctx, commands)
	for i, r := range results {
		answers[of[i]] = membership.Answer{Accepted: r.Outcome == bloomreach.Accepted, Refused: r.Errors}
	}
	var refused *bloomreach.Error
	if errors.As(err, &refused) && refused.Class != bloomreach.ClassConfig {
		return answers, &membership.TryAgainError{Err: err, After: refused.RetryAfter}
	}
	return answers, err
}

// propertiesOf returns the command of an update.
func propertiesOf(update membership.Update) (bloomreach.Command, error) {
	var properties bloomreach.Properties
	for _, name := range slices.Sorted(maps.Keys(update.Properties)) {
		properties.Flag(name, update.Properties[name])
	}
	return bloomreach.NewCustomerUpdate(update.ID, bloomreach.CustomerUpdate{
		CustomerIDs: update.CustomerIDs, Properties: properties, UpdateTimestamp: bloomreach.UnixSeconds(update.At),
	})
}
