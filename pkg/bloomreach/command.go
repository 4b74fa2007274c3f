package bloomreach

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The names of commands
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-request-body-errors).
const (
	NameEvent          = "customers/events"
	NameCustomerUpdate = "customers"
)

// ErrCommand means an invalid event or update. The error names the wrong part.
var ErrCommand = errors.New("invalid command")

// Command is one entry of a batch. Its JSON form is
//
//	{"name":"customers/events","command_id":"6f1c","data":{...}}
//
// The response repeats command_id with the result of the command
// (https://documentation.bloomreach.com/engagement/docs/batch-commands-2). Data is encoded once, so that a command always
// has the same bytes.
type Command struct {
	Name string          `json:"name"`
	ID   string          `json:"command_id"`
	Data json.RawMessage `json:"data"`
}

// Event is an event of a customer.
type Event struct {
	// CustomerIDs maps id name to value, at least one. Each value needs a letter or a digit and must not be "null" or
	// "undefined" (https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors).
	CustomerIDs map[string]string
	// Type is the event type, for example "subscription".
	Type string
	// Timestamp is UNIX seconds, see [UnixSeconds]. It is required here, although Bloomreach's default is the time of
	// arrival: deduplication compares every digit of it.
	Timestamp json.Number
	// Properties are the attributes, with ASCII names. Values are string, bool, json.Number, int, int64, []string,
	// []any, map[string]any and []map[string]any of these. A float is an error, because it has no exact decimal form.
	// A nil is left out: Bloomreach does not document null.
	Properties map[string]any
}

// CustomerUpdate sets properties of a customer.
type CustomerUpdate struct {
	// CustomerIDs is as in [Event].
	CustomerIDs map[string]string
	// Properties are as in [Event], at least one.
	Properties map[string]any
	// UpdateTimestamp is UNIX seconds, see [UnixSeconds]. Bloomreach changes only properties whose last update is older
	// (https://documentation.bloomreach.com/engagement/reference/update-customer-properties-2).
	UpdateTimestamp json.Number
}

// NewEvent returns a command that adds an event. Values that are too long for Bloomreach are cut, and properties
// "{name}_truncated" (true) and "{name}_omitted" (the number of elements left out of a list) say so. Any error wraps
// [ErrCommand].
func NewEvent(id string, event Event) (Command, error) {
	if event.Type == "" {
		return Command{}, fmt.Errorf("%w: event type is empty", ErrCommand)
	}
	if err := validateCustomerIDs(event.CustomerIDs); err != nil {
		return Command{}, err
	}
	if err := validateDecimal("timestamp", event.Timestamp); err != nil {
		return Command{}, err
	}
	properties, err := validProperties(event.Properties)
	if err != nil {
		return Command{}, err
	}
	if properties, err = fit(properties); err != nil {
		return Command{}, err
	}
	return newCommand(id, NameEvent, struct {
		CustomerIDs map[string]string `json:"customer_ids"`
		Type        string            `json:"event_type"`
		Timestamp   json.Number       `json:"timestamp"`
		Properties  map[string]any    `json:"properties"`
	}{event.CustomerIDs, event.Type, event.Timestamp, properties})
}

// NewCustomerUpdate returns a command that updates properties. It cuts nothing: a value that is too long is an error. Any error
// wraps [ErrCommand].
func NewCustomerUpdate(id string, update CustomerUpdate) (Command, error) {
	if err := validateCustomerIDs(update.CustomerIDs); err != nil {
		return Command{}, err
	}
	if err := validateDecimal("update timestamp", update.UpdateTimestamp); err != nil {
		return Command{}, err
	}
	properties, err := validProperties(update.Properties)
	if err != nil {
		return Command{}, err
	}
	if len(properties) == 0 {
		return Command{}, fmt.Errorf("%w: a customer update needs at least one property", ErrCommand)
	}
	for name, value := range properties {
		if size(value) > maxValue {
			return Command{}, fmt.Errorf("%w: property %q has %d bytes, at most %d are allowed", ErrCommand, name, size(value), maxValue)
		}
	}
	return newCommand(id, NameCustomerUpdate, struct {
		CustomerIDs     map[string]string `json:"customer_ids"`
		Properties      map[string]any    `json:"properties"`
		UpdateTimestamp json.Number       `json:"update_timestamp"`
	}{update.CustomerIDs, properties, update.UpdateTimestamp})
}

// newCommand encodes data. encoding/json sorts the keys of a map, so the bytes are always the same.
func newCommand(id, name string, data any) (Command, error) {
	if id == "" {
		return Command{}, fmt.Errorf("%w: command id is empty", ErrCommand)
	}
	body, err := json.Marshal(data)
	if err != nil {
		return Command{}, fmt.Errorf("%w: %w", ErrCommand, err)
	}
	if len(body) > maxMessage {
		return Command{}, fmt.Errorf("%w: data has %d bytes, at most %d are allowed", ErrCommand, len(body), maxMessage)
	}
	return Command{Name: name, ID: id, Data: body}, nil
}
