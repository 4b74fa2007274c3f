package bloomreach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// nameSystemTime is a command that reads the server's time and writes nothing. Only older copies of the documentation show it in a batch
// (https://docs.exponea.com/reference/batch-commands-2, https://github.com/exponea/exponea-python-sdk, tests/test_tracking.py).
const nameSystemTime = "system/time"

// ErrUnproven means that Bloomreach refused the request of [Client.Probe] for its content: the credentials may be right or wrong.
var ErrUnproven = errors.New("bloomreach refused the probe")

// Probe checks base URL, project and credentials by a batch with the command system/time, and writes nothing. It returns nil if Bloomreach
// answered for the command, whatever that answer is. Else the error is an [*Error], or wraps [ErrUnproven]. It does not check permissions.
func (c *Client) Probe(ctx context.Context) error {
	result := Result{ID: "probe"}
	err := c.sendOnce(ctx, []pendingCommand{{Command: Command{Name: nameSystemTime, ID: result.ID, Data: json.RawMessage("{}")}, result: &result}})
	var unclear *unidentified
	var refused *refusal
	switch {
	case errors.As(err, &unclear):
		return nil
	case !errors.As(err, &refused):
		return err
	case refused.blocked != nil:
		return refused.blocked
	}
	return fmt.Errorf("%w: %s", ErrUnproven, strings.Join(refused.messages, "; "))
}
