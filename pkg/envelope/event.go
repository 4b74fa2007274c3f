package envelope

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/schemas"
)

// Event describes a record that no raw record led to, such as a report of an SMS provider.
type Event struct {
	Schema   string // the subject of the schema of the value
	ID       string
	Store    string
	Subject  string // what it is about, such as customer/246936001; "" leaves the header out
	At       time.Time
	Received time.Time
}

// Headers returns the headers of the record.
func (e Event) Headers() []kafka.Header {
	headers := []kafka.Header{
		Header(HeaderCESpecVersion, "1.0"),
		Header(HeaderCEID, e.ID),
		Header(HeaderCEType, typePrefix+e.Schema),
		Header(HeaderCESource, "/stores/"+e.Store),
		Header(HeaderCETime, e.At.UTC().Format(time.RFC3339Nano)),
		Header(HeaderCEDataSchema, schemas.URN(e.Schema)),
		Header(HeaderContentType, "application/json"),
		Header(HeaderStore, e.Store),
		Header(HeaderReceivedAt, e.Received.UTC().Format(time.RFC3339Nano)),
	}
	if e.Subject != "" {
		headers = append(headers, Header(HeaderCESubject, e.Subject))
	}
	return headers
}
