package membership

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Row is a member of a segment, as last sent to Bloomreach. It is the value of a row in recharge.segment-members, whose key is
// {store}/{Recharge customer ID}/{segment}.
type Row struct {
	Store              string `json:"store"`
	Segment            string `json:"segment"`
	RechargeCustomerID string `json:"recharge_customer_id"`
	// CustomerID is the id whose profile has it: an e-mail or Recharge's ID.
	CustomerID string    `json:"customer_id"`
	At         time.Time `json:"at"`
}

func (r Row) key() string { return r.Store + "/" + r.RechargeCustomerID + "/" + r.Segment }

// record returns the record of the row, or of its tombstone.
func (r Row) record(topic string, partition int, deleted bool) (kafka.Record, error) {
	event := envelope.Event{Schema: schemas.SegmentMember, ID: r.key(), Store: r.Store, Subject: "customer/" + r.RechargeCustomerID, At: r.At, Received: r.At}
	record := kafka.Record{Topic: topic, Partition: partition, Key: []byte(r.key()), Headers: event.Headers()}
	if deleted {
		return record, nil
	}
	var err error
	if record.Value, err = json.Marshal(r); err != nil {
		return record, fmt.Errorf("encode member: %w", err)
	}
	return record, nil
}

// pushedRows are the rows of a partition, by customer and segment.
type pushedRows map[string]map[string]Row

// add takes up a record.
func (t pushedRows) add(customerID, name string, r kafka.Record) error {
	if r.Value == nil {
		delete(t[customerID], name)
		return nil
	}
	var row Row
	if err := json.Unmarshal(r.Value, &row); err != nil {
		return fmt.Errorf("decode member %d/%d: %w", r.Partition, r.Offset, err)
	}
	if t[customerID] == nil {
		t[customerID] = map[string]Row{}
	}
	t[customerID][name] = row
	return nil
}
