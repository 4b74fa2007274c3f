package bloomreach

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The two names a command can have
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-request-body-errors).
const (
	NameEvent          = "customers/events"
	NameCustomerUpdate = "customers"
)

// ErrCommand is a command that can't be made from what was given. Its text says which part is wrong.
var ErrCommand = errors.New("invalid command")

// Command is one entry of a batch. Its JSON form is
//
//	{"name":"customers/events","command_id":"6f1c","data":{...}}
//
// where command_id comes back beside the result of this command
// (https://documentation.bloomreach.com/engagement/docs/batch-commands-2). Data is fixed when the command is made: the
// same command always has the same bytes.
type Command struct {
	Name string          `json:"name"`
	ID   string          `json:"command_id"`
	Data json.RawMessage `json:"data"`
}

// Event is something that a customer did or that happened to one.
type Event struct {
	// CustomerIDs is id name to value, at least one. Each value needs a letter or a digit and must not be "null" or
	// "undefined" (https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors).
	CustomerIDs map[string]string
	// Type is the event type, for example "subscription".
	Type string
	// Timestamp is UNIX seconds, see [Seconds]. It is required here, although Bloomreach would take the time of
	// arrival: deduplication compares it to the last decimal, so it must come from the source.
	Timestamp json.Number
	// Properties are the attributes, with ASCII names. Values are string, bool, json.Number, int, int64, []string,
	// []any, map[string]any and []map[string]any of these. A float is refused, because it has no exact decimal form.
	// A nil is left out, because what Bloomreach does with null is documented nowhere.
	Properties map[string]any
}

// CustomerUpdate sets properties of a customer.
type CustomerUpdate struct {
	// CustomerIDs is as in [Event].
	CustomerIDs map[string]string
	// Properties are as in [Event], at least one.
	Properties map[string]any
	// UpdateTimestamp is UNIX seconds, see [Seconds]. Bloomreach changes only those properties whose last update is
	// older (https://documentation.bloomreach.com/engagement/reference/update-customer-properties-2).
	UpdateTimestamp json.Number
}

// NewEvent makes the command that adds an event. Any error wraps [ErrCommand].
func NewEvent(id string, event Event) (Command, error) {
	if event.Type == "" {
		return Command{}, fmt.Errorf("%w: event type is empty", ErrCommand)
	}
	if err := checkCustomerIDs(event.CustomerIDs); err != nil {
		return Command{}, err
	}
	if err := checkDecimal("timestamp", event.Timestamp); err != nil {
		return Command{}, err
	}
	properties, err := cleanProperties(event.Properties)
	if err != nil {
		return Command{}, err
	}
	return newCommand(id, NameEvent, struct {
		CustomerIDs map[string]string `json:"customer_ids"`
		Type        string            `json:"event_type"`
		Timestamp   json.Number       `json:"timestamp"`
		Properties  map[string]any    `json:"properties"`
	}{event.CustomerIDs, event.Type, event.Timestamp, properties})
}

// NewCustomerUpdate makes the command that updates properties. Any error wraps [ErrCommand].
func NewCustomerUpdate(id string, update CustomerUpdate) (Command, error) {
	if err := checkCustomerIDs(update.CustomerIDs); err != nil {
		return Command{}, err
	}
	if err := checkDecimal("update timestamp", update.UpdateTimestamp); err != nil {
		return Command{}, err
	}
	properties, err := cleanProperties(update.Properties)
	if err != nil {
		return Command{}, err
	}
	if len(properties) == 0 {
		return Command{}, fmt.Errorf("%w: a customer update needs at least one property", ErrCommand)
	}
	return newCommand(id, NameCustomerUpdate, struct {
		CustomerIDs     map[string]string `json:"customer_ids"`
		Properties      map[string]any    `json:"properties"`
		UpdateTimestamp json.Number       `json:"update_timestamp"`
	}{update.CustomerIDs, properties, update.UpdateTimestamp})
}

// newCommand fixes the bytes of data. encoding/json sorts the keys of a map, so they are the same each time.
func newCommand(id, name string, data any) (Command, error) {
	if id == "" {
		return Command{}, fmt.Errorf("%w: command id is empty", ErrCommand)
	}
	body, err := json.Marshal(data)
	if err != nil {
		return Command{}, fmt.Errorf("%w: %w", ErrCommand, err)
	}
	return Command{Name: name, ID: id, Data: body}, nil
}
