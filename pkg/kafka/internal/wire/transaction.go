package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// describeTransactions is the API key of DescribeTransactions, which kafka-go does not have (KIP-664, Kafka 3.0).
const describeTransactions = 65

// transactionIDNotFound is TRANSACTIONAL_ID_NOT_FOUND, for which kafka-go has no name.
const transactionIDNotFound = 105

type transactionResponse struct {
	api
	code  int16
	state string
}

// describe is an exchange that brokers before Kafka 3.0 don't know.
type describe struct {
	exchange
	known bool
}

// Required notes whether the broker knows the request, and returns true so that RawExchange is called.
func (d *describe) Required(versions map[protocol.ApiKey]int16) bool {
	_, d.known = versions[d.ApiKey()]
	return d.exchange.Required(versions)
}

// RawExchange writes the request and reads the response.
func (d *describe) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if !d.known {
		return transactionResponse{api: describeTransactions}, nil
	}
	return d.exchange.RawExchange(rw)
}

// TransactionState fetches the state of a transactional id from its coordinator, such as Ongoing or CompleteCommit; "" if it has none, or
// if the broker can't tell because it is older than Kafka 3.0. Those end all transactions.
func TransactionState(ctx context.Context, transport *kafka.Transport, addr net.Addr, broker int32, id string) (string, error) {
	answer, err := transport.RoundTrip(ctx, addr, &describe{exchange: exchange{
		api: describeTransactions, broker: broker, request: encodeDescribe(transport.ClientID, id), decode: decodeDescribe,
	}})
	if err != nil {
		return "", err
	}
	response, ok := answer.(transactionResponse)
	switch {
	case !ok:
		return "", errors.New("describe transactions: unexpected response type")
	case response.code == transactionIDNotFound:
		return "", nil
	case response.code != 0:
		return "", kafka.Error(response.code)
	}
	return response.state, nil
}

// encodeDescribe encodes version 0, whose strings and arrays are compact: their length is one more, as an unsigned varint.
func encodeDescribe(clientID, id string) []byte {
	b := appendHeader(nil, describeTransactions, 0, clientID)
	b = append(b, 0, 2) // no tags, one transactional id
	b = binary.AppendUvarint(b, uint64(len(id)+1))
	b = append(b, id...)
	return finish(append(b, 0))
}

func decodeDescribe(body []byte) (protocol.Message, error) {
	r := reader{rest: body}
	_ = r.take(1)    // no tags
	_ = r.int32()    // throttle time
	n := r.uvarint() // one more than the transactional ids
	if n < 2 || r.bad {
		return nil, errTruncated
	}
	response := transactionResponse{api: describeTransactions, code: r.int16()}
	_ = r.compactString()
	response.state = r.compactString()
	return response, r.err()
}
