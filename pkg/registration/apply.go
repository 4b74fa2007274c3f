package registration

import (
	"context"
	"errors"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// API is what Apply calls: *recharge.Client.
type API interface {
	CreateWebhook(ctx context.Context, r recharge.Registration) (id string, created bool, err error)
	UpdateWebhook(ctx context.Context, r recharge.Registration) error
	DeleteWebhook(ctx context.Context, id string) error
}

// Action is what is done about a row.
type Action string

// The actions.
const (
	ActionNone   Action = ""
	ActionCreate Action = "register"
	ActionUpdate Action = "change"
	ActionDelete Action = "delete"
)

// Keep returns the action that makes a registration as it should be. Duplicates are deleted; what is unused or foreign is left.
func Keep(row Row) Action {
	switch row.Status {
	case StatusMissing:
		return ActionCreate
	case StatusAltered:
		return ActionUpdate
	case StatusDuplicate:
		return ActionDelete
	}
	return ActionNone
}

// Refresh is Keep, and changes those that are ok as well, because Recharge does not return their API version.
func Refresh(row Row) Action {
	if row.Status == StatusOK {
		return ActionUpdate
	}
	return Keep(row)
}

// Remove returns the action that deletes all registrations of ours.
func Remove(row Row) Action {
	switch row.Status {
	case StatusOK, StatusAltered, StatusDuplicate, StatusUnused:
		return ActionDelete
	}
	return ActionNone
}

// ErrNotTried is the error of actions after one that failed although it was repeated: they would fail, too.
var ErrNotTried = errors.New("not tried after the failure above")

// Result is a row, the action about it, and the error of that, nil if it is done.
type Result struct {
	Row    Row
	Action Action
	Err    error
}

// Apply does what decide returns for each row, in their order. A duplicate stays if the registration that is to replace it failed.
func Apply(ctx context.Context, api API, rows []Row, decide func(Row) Action) []Result {
	results := make([]Result, 0, len(rows))
	failed := map[recharge.Topic]bool{}
	var ended error
	for _, row := range rows {
		result := Result{Row: row, Action: decide(row)}
		switch {
		case result.Action == ActionNone:
		case ended != nil, row.Status == StatusDuplicate && failed[row.Topic]:
			result.Err = ErrNotTried
		default:
			result.Err = do(ctx, api, row, result.Action)
		}
		failed[row.Topic] = failed[row.Topic] || result.Err != nil
		if isTemporary(result.Err) {
			ended = result.Err
		}
		results = append(results, result)
	}
	return results
}

func isTemporary(err error) bool {
	var failed *recharge.APIError
	return errors.As(err, &failed) && failed.Temporary()
}

func do(ctx context.Context, api API, row Row, action Action) error {
	switch action {
	case ActionCreate:
		return create(ctx, api, row.Wanted)
	case ActionUpdate:
		changed := row.Wanted
		changed.ID = row.Found.ID
		if err := api.UpdateWebhook(ctx, changed); !errors.Is(err, recharge.ErrNotFound) {
			return err
		}
		return create(ctx, api, row.Wanted) // it was deleted meanwhile
	}
	return api.DeleteWebhook(ctx, row.Found.ID)
}

// create registers a webhook. One that exists already, since a moment ago, may have other included objects or another version.
func create(ctx context.Context, api API, wanted recharge.Registration) error {
	id, created, err := api.CreateWebhook(ctx, wanted)
	if err != nil || created {
		return err
	}
	wanted.ID = id
	return api.UpdateWebhook(ctx, wanted)
}
