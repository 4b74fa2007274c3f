package bloomreach

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
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
// (https://documentation.bloomreach.com/engagement/docs/batch-commands-2). Data is JSON that [NewEvent] or [NewCustomerUpdate]
// encoded: it is sent as it is, so that a command always has the same bytes.
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
	// Properties are the attributes.
	Properties Properties
}

// CustomerUpdate sets properties of a customer.
type CustomerUpdate struct {
	// CustomerIDs is as in [Event].
	CustomerIDs map[string]string
	// Properties are the properties to set, at least one.
	Properties Properties
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
	if err := validate(event.CustomerIDs, "timestamp", event.Timestamp, &event.Properties); err != nil {
		return Command{}, err
	}
	data := make([]byte, 0, event.Properties.size())
	data = appendIDs(append(data, `{"customer_ids":`...), event.CustomerIDs)
	data = jsonappend.AppendHTMLString(appendMember(data, "event_type"), event.Type)
	data = append(appendMember(data, "timestamp"), event.Timestamp...)
	data = event.Properties.appendTo(appendMember(data, "properties"))
	return newCommand(id, NameEvent, append(data, '}'))
}

// NewCustomerUpdate returns a command that updates properties. It cuts nothing: a value that is too long is an error. Any error
// wraps [ErrCommand].
func NewCustomerUpdate(id string, update CustomerUpdate) (Command, error) {
	if err := validate(update.CustomerIDs, "update timestamp", update.UpdateTimestamp, &update.Properties); err != nil {
		return Command{}, err
	}
	if len(update.Properties.list) == 0 {
		return Command{}, fmt.Errorf("%w: a customer update needs at least one property", ErrCommand)
	}
	for _, property := range update.Properties.list {
		if property.whole > 0 {
			return Command{}, fmt.Errorf("%w: property %q %s", ErrCommand, property.name, tooLong(property.whole))
		}
	}
	data := make([]byte, 0, update.Properties.size())
	data = appendIDs(append(data, `{"customer_ids":`...), update.CustomerIDs)
	data = update.Properties.appendTo(appendMember(data, "properties"))
	data = append(appendMember(data, "update_timestamp"), update.UpdateTimestamp...)
	return newCommand(id, NameCustomerUpdate, append(data, '}'))
}

func validate(ids map[string]string, field string, timestamp json.Number, properties *Properties) error {
	if err := validateCustomerIDs(ids); err != nil {
		return err
	}
	if err := validateDecimal(field, timestamp); err != nil {
		return err
	}
	return properties.err()
}

func newCommand(id, name string, data []byte) (Command, error) {
	if id == "" {
		return Command{}, fmt.Errorf("%w: command id is empty", ErrCommand)
	}
	if len(data) > maxMessage {
		return Command{}, fmt.Errorf("%w: data has %d bytes, at most %d are allowed", ErrCommand, len(data), maxMessage)
	}
	return Command{Name: name, ID: id, Data: data}, nil
}

// appendTo appends the JSON of a command.
func (c Command) appendTo(b []byte) []byte {
	b = jsonappend.AppendHTMLString(append(b, `{"name":`...), c.Name)
	b = jsonappend.AppendHTMLString(appendMember(b, "command_id"), c.ID)
	return append(append(appendMember(b, "data"), c.Data...), '}')
}
