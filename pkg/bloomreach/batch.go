package bloomreach

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// ErrBatch is a batch that can't be sent as it is: more than [MaxCommands] commands, or a command id that is empty or
// there twice.
var ErrBatch = errors.New("invalid batch")

// Outcome is what became of a command.
type Outcome string

// A command ends in exactly one of these.
const (
	// Accepted means that Bloomreach took it and will process it later, usually within seconds
	// (https://documentation.bloomreach.com/engagement/reference/about).
	Accepted Outcome = "accepted"
	// Rejected means that Bloomreach will never take it as it is; Result.Errors says why.
	Rejected Outcome = "rejected"
	// Unanswered means that an error says why; the command may or may not have been taken.
	Unanswered Outcome = "unanswered"
)

// Result is what became of one command.
type Result struct {
	ID        string // the command's
	Outcome   Outcome
	Errors    []string // why it was rejected, at least one text; else empty
	RequestID string   // x-request-id of the answer that settled it, for Bloomreach's support; may be empty
}

// Batch sends the commands in one request, and returns one result for each, in their order. Bloomreach executes them
// in any order: what matters must be in their timestamps
// (https://documentation.bloomreach.com/engagement/docs/batch-commands-2).
//
// A request that Bloomreach refuses for what is in it is halved until the commands at fault stand alone, and only
// those are rejected; unless that would be all of many, see refusedAll.
//
// The error is nil when every command is accepted or rejected. Otherwise it is an [*Error], and the results are valid
// too: what is accepted or rejected there is settled, and only what is [Unanswered] is to be sent again. For a batch
// that was not sent at all the error wraps [ErrBatch] and there are no results.
func (c *Client) Batch(ctx context.Context, commands []Command) ([]Result, error) {
	if err := checkBatch(commands); err != nil {
		return nil, err
	}
	results := make([]Result, len(commands))
	batch := make([]sending, 0, len(commands))
	for i, command := range commands {
		results[i] = Result{ID: command.ID, Outcome: Unanswered}
		body, err := json.Marshal(command)
		if err != nil {
			results[i].reject("", []string{c.cleaner.text("encode command: " + err.Error())})
			continue
		}
		batch = append(batch, sending{body: body, result: &results[i]})
	}
	if err := c.send(ctx, batch); err != nil {
		return results, err
	}
	return results, refusedAll(batch)
}

// manyCommands is from how many commands on it is no accident that each of them alone is refused in the same words.
const manyCommands = 5

// refusedAll is an error of [ClassConfig] when many commands were sent and each of them, alone in its request, was
// refused in the same words: then the fault is hardly in all of them but in what they have in common, an address, a
// proxy, a project. They are all unanswered then.
func refusedAll(batch []sending) error {
	if len(batch) < manyCommands {
		return nil
	}
	for _, s := range batch {
		if !s.alone || !slices.Equal(s.result.Errors, batch[0].result.Errors) {
			return nil
		}
	}
	failure := &Error{
		Class: ClassConfig, Status: http.StatusBadRequest, RequestID: batch[0].result.RequestID,
		Message: fmt.Sprintf("every one of %d commands alone was refused: %s", len(batch), strings.Join(batch[0].result.Errors, "; ")),
	}
	for _, s := range batch {
		*s.result = Result{ID: s.result.ID, Outcome: Unanswered}
	}
	return failure
}

func checkBatch(commands []Command) error {
	if len(commands) > MaxCommands {
		return fmt.Errorf("%w: %d commands, at most %d", ErrBatch, len(commands), MaxCommands)
	}
	seen := make(map[string]bool, len(commands))
	for i, command := range commands {
		if command.ID == "" || seen[command.ID] {
			return fmt.Errorf("%w: the id of command %d is empty or that of an earlier one", ErrBatch, i)
		}
		seen[command.ID] = true
	}
	return nil
}

// sending is a command on its way: its JSON, and where its outcome goes.
type sending struct {
	body   []byte
	result *Result
	alone  bool // refused with its whole request, which held nothing else
}

// send settles every command of the batch, or returns an error that leaves the rest unanswered.
func (c *Client) send(ctx context.Context, batch []sending) error {
	if len(batch) == 0 {
		return nil
	}
	err := c.sendOnce(ctx, batch)
	var refused *refusal
	if !errors.As(err, &refused) {
		return err
	}
	if len(batch) == 1 {
		batch[0].result.reject(refused.requestID, refused.messages)
		batch[0].alone = true
		return nil
	}
	half := len(batch) / 2
	if err := c.send(ctx, batch[:half]); err != nil {
		return err
	}
	return c.send(ctx, batch[half:])
}

// sendOnce is one request. It returns nil, an *Error, or a *refusal of the batch as a whole.
func (c *Client) sendOnce(ctx context.Context, batch []sending) error {
	body := batchBody(batch)
	if len(body) > c.maxBody {
		return &refusal{messages: []string{
			fmt.Sprintf("not sent: body of %d bytes, at most %d", len(body), c.maxBody),
		}}
	}
	answer, err := c.post(ctx, body)
	if err != nil {
		return err
	}
	if err := c.judge(answer); err != nil {
		return err
	}
	return c.settle(answer, batch)
}

func batchBody(batch []sending) []byte {
	commands := make([][]byte, len(batch))
	for i, s := range batch {
		commands[i] = s.body
	}
	return bytes.Join([][]byte{[]byte(`{"commands":[`), bytes.Join(commands, []byte(",")), []byte(`]}`)}, nil)
}

// refusal means that a request was not taken because of what is in it: sent again it is refused again.
type refusal struct {
	messages  []string
	requestID string
}

// Error makes it an error; a refusal never leaves this package.
func (r *refusal) Error() string { return "request refused" }

func (r *Result) accept(requestID string) {
	r.Outcome, r.RequestID = Accepted, requestID
}

func (r *Result) reject(requestID string, messages []string) {
	r.Outcome, r.RequestID, r.Errors = Rejected, requestID, messages
}
