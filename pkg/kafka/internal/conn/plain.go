package conn

import (
	"errors"
	"strings"
)

// Plain returns the results of a call of kafka-go's client, without the name of the Go method that the client puts in front of
// an error: "kafka.(*Client).Metadata: ".
func Plain[T any](answer T, err error) (T, error) {
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "kafka.(*Client).") {
		return answer, inner
	}
	return answer, err
}
