package bloomreach

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// ErrBatch is an invalid batch: more than [MaxCommands] commands, or a command id that is empty or used twice.
var ErrBatch = errors.New("invalid batch")

// Outcome is the outcome of a command.
type Outcome string

// The outcomes.
const (
	// Accepted means that Bloomreach accepted the command and processes it later, usually within seconds
	// (https://documentation.bloomreach.com/engagement/reference/about).
	Accepted Outcome = "accepted"
	// Rejected means that Bloomreach refused the command for good, see Result.Errors.
	Rejected Outcome = "rejected"
	// Unanswered means that the outcome is unknown. The error of Batch has the reason.
	Unanswered Outcome = "unanswered"
)

// Result is the outcome of one command.
type Result struct {
	ID        string // of the command
	Outcome   Outcome
	Errors    []string // of a rejected command, at least one
	RequestID string   // x-request-id of the answer, for Bloomreach's support; may be empty
}

// Batch sends the commands in one request and returns one result for each, in their order. Bloomreach executes them in
// any order; their timestamps decide (https://documentation.bloomreach.com/engagement/docs/batch-commands-2).
//
// If the request is refused for its content, Batch halves it until the refused commands are alone, and rejects only those. A
// refusal by something in front of Bloomreach needs proof that other requests pass, see blocked.go. For the refusals of
// Bloomreach itself see allRefused.
//
// The error is nil when every command is accepted or rejected. Otherwise it is an [*Error] and the results are valid too:
// send only the [Unanswered] commands again. If the batch is invalid, the error wraps [ErrBatch], nothing is sent and
// there are no results.
func (c *Client) Batch(ctx context.Context, commands []Command) ([]Result, error) {
	if err := validateBatch(commands); err != nil {
		return nil, err
	}
	results := make([]Result, len(commands))
	batch := make([]pendingCommand, 0, len(commands))
	for i, command := range commands {
		results[i] = Result{ID: command.ID, Outcome: Unanswered}
		batch = append(batch, pendingCommand{Command: command, result: &results[i]})
	}
	sender := &sender{Client: c}
	err := sender.send(ctx, batch)
	if err = sender.rejectBlocked(ctx, err); err != nil {
		return results, err
	}
	return results, allRefused(batch)
}

// minAllRefused is the smallest batch to which allRefused applies.
const minAllRefused = 5

// allRefused returns an error of [ClassConfig] when each command was refused alone, all with the same errors. Then the address,
// a proxy or the project is wrong rather than every command. All commands become unanswered.
func allRefused(batch []pendingCommand) error {
	if len(batch) < minAllRefused {
		return nil
	}
	for _, s := range batch {
		if !s.refusedAlone || !slices.Equal(s.result.Errors, batch[0].result.Errors) {
			return nil
		}
	}
	failure := &Error{
		Class: ClassConfig, Status: http.StatusBadRequest, RequestID: batch[0].result.RequestID,
		Message: fmt.Sprintf("all %d commands were refused individually: %s", len(batch), strings.Join(batch[0].result.Errors, "; ")),
	}
	for _, s := range batch {
		*s.result = Result{ID: s.result.ID, Outcome: Unanswered}
	}
	return failure
}

func validateBatch(commands []Command) error {
	if len(commands) > MaxCommands {
		return fmt.Errorf("%w: %d commands, at most %d", ErrBatch, len(commands), MaxCommands)
	}
	seen := make(map[string]bool, len(commands))
	for i, command := range commands {
		if command.ID == "" || seen[command.ID] {
			return fmt.Errorf("%w: the id of command %d is empty or used twice", ErrBatch, i)
		}
		seen[command.ID] = true
	}
	return nil
}

// pendingCommand is a command and its result.
type pendingCommand struct {
	Command
	result       *Result
	refusedAlone bool // refused in a request without other commands
}

// sender sends the commands of one batch.
type sender struct {
	*Client

	blocked []blockedCommand
}

// send sets the outcome of every command that is not blocked, or returns an error and leaves the others unanswered.
func (s *sender) send(ctx context.Context, batch []pendingCommand) error {
	if len(batch) == 0 {
		return nil
	}
	err := s.sendOnce(ctx, batch)
	var refused *refusal
	var unclear *unidentified
	switch {
	case errors.As(err, &unclear):
		return s.identify(ctx, batch, unclear)
	case !errors.As(err, &refused):
		return err
	case len(batch) == 1:
		return s.refusedAlone(ctx, &batch[0], refused)
	}
	return s.sendHalves(ctx, batch)
}

func (s *sender) sendHalves(ctx context.Context, batch []pendingCommand) error {
	half := len(batch) / 2
	if err := s.send(ctx, batch[:half]); err != nil {
		return err
	}
	return s.send(ctx, batch[half:])
}

// refusedAlone rejects a command that Bloomreach refused in a request without others.
func (s *sender) refusedAlone(ctx context.Context, command *pendingCommand, refused *refusal) error {
	if refused.blocked != nil {
		return s.block(ctx, command, refused)
	}
	command.result.reject(refused.requestID, refused.messages)
	command.refusedAlone = true
	return nil
}

// sendOnce sends one request. It returns nil, an *Error, a *refusal of the whole request, or an *unidentified.
func (c *Client) sendOnce(ctx context.Context, batch []pendingCommand) error {
	body := batchBody(batch)
	if len(body) > c.maxBody {
		return &refusal{messages: []string{
			fmt.Sprintf("not sent: body has %d bytes, at most %d are allowed", len(body), c.maxBody),
		}}
	}
	answer, err := c.post(ctx, body)
	if err != nil {
		return err
	}
	if acceptsAll(answer, batch) {
		for _, s := range batch {
			s.result.accept(answer.requestID)
		}
		c.passing.accept(len(batch))
		return nil
	}
	if err := c.classify(answer); err != nil {
		return err
	}
	return c.applyResults(answer, batch)
}

func batchBody(batch []pendingCommand) []byte {
	size := len(`{"commands":[]}`)
	for _, s := range batch {
		size += len(s.Name) + len(s.ID) + len(s.Data) + len(`{"name":"","command_id":"","data":},`)
	}
	body := append(make([]byte, 0, size), `{"commands":[`...)
	for i, s := range batch {
		if i > 0 {
			body = append(body, ',')
		}
		body = s.appendTo(body)
	}
	return append(body, `]}`...)
}

// refusal means that a request was refused for its content. A retry does not help.
type refusal struct {
	messages  []string
	requestID string
	blocked   *Error // of a refusal by something in front of Bloomreach: the error if it refuses all requests; else nil
}

// Error implements error.
func (r *refusal) Error() string { return "request refused" }

func (r *Result) accept(requestID string) {
	r.Outcome, r.RequestID = Accepted, requestID
}

func (r *Result) reject(requestID string, messages []string) {
	r.Outcome, r.RequestID, r.Errors = Rejected, requestID, messages
}
