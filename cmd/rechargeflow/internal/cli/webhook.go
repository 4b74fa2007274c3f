package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// maxBody is the size in bytes up to which a body is read. Recharge's are far smaller.
const maxBody = 8 << 20

// CheckTopic refuses a value of --topic that is no topic of Recharge.
func CheckTopic(topic string) error {
	if recharge.Topic(topic).Known() {
		return nil
	}
	return Usage(fmt.Errorf("--topic is %q, expected a topic of Recharge such as charge/paid", topic))
}

// ReadWebhook reads the body of a webhook from a file, or from standard input for "-".
func ReadWebhook(stdin io.Reader, name string) ([]byte, error) {
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // the operator names it
		if err != nil {
			return nil, fmt.Errorf("read webhook: %w", err)
		}
		defer func() { _ = file.Close() }()
		stdin = file
	}
	body, err := io.ReadAll(io.LimitReader(stdin, maxBody))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read webhook: %w", err)
	case len(body) == 0:
		return nil, errors.New("read webhook: it is empty")
	}
	return body, nil
}
