package bloomreach

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// Results without command_id name no command. Nothing documents that they are in the order of the commands, and a wrong guess would
// lose a command that failed and reject one that was accepted. So a guess is tested: each command whose result, by position, is a
// failure is sent again, alone. If all of these fail again, the others are accepted. Otherwise the results are in another order, and the
// others are sent again one by one: Bloomreach drops those that it has already. No request is needed if all results are equal.

// unidentified means that an answer has results without command_id, and it is not known whose they are.
type unidentified struct {
	// failed has the commands, by position, whose result is a failure; nil if there are not as many results as commands.
	failed    []bool
	requestID string
}

// Error implements error.
func (*unidentified) Error() string { return "results have no command_id" }

// byPosition returns the results of commands that have no command_id, or an *unidentified.
func byPosition(batch []pendingCommand, results []commandResult, requestID string) ([]commandResult, error) {
	different := func(r commandResult) bool {
		return r.success != results[0].success || !slices.Equal(r.errors, results[0].errors)
	}
	switch {
	case len(results) != len(batch) && len(batch) == 1:
		return make([]commandResult, 1), nil // no result is usable
	case len(results) != len(batch):
		return nil, &unidentified{}
	case !slices.ContainsFunc(results, different):
		return results, nil
	}
	failed := make([]bool, len(results))
	for i, r := range results {
		failed[i] = r.success != "true"
	}
	return nil, &unidentified{failed: failed, requestID: requestID}
}

// identify sets the outcomes of a batch whose results have no command_id.
func (s *sender) identify(ctx context.Context, batch []pendingCommand, unclear *unidentified) error {
	if unclear.failed == nil {
		return s.sendHalves(ctx, batch)
	}
	var failed, others []pendingCommand
	for i, command := range batch {
		if unclear.failed[i] {
			failed = append(failed, command)
		} else {
			others = append(others, command)
		}
	}
	err := s.sendEach(ctx, failed)
	if isRetry(err) {
		return err
	}
	if slices.ContainsFunc(failed, func(command pendingCommand) bool { return command.result.Outcome == Accepted }) {
		return cmp.Or(err, s.sendEach(ctx, others))
	}
	for _, command := range others {
		command.result.accept(unclear.requestID)
	}
	s.passing.accept(len(others))
	return err
}

// sendEach sends each command alone. It returns the first error, and stops at one that concerns all.
func (s *sender) sendEach(ctx context.Context, commands []pendingCommand) (first error) {
	for i := range commands {
		err := s.send(ctx, commands[i:i+1])
		if isRetry(err) {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

func isRetry(err error) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Class == ClassRetry
}
