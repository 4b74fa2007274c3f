package bloomreach

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
)

// Something in front of Bloomreach, such as a firewall or a proxy, may refuse a request because of the text of one command. Its
// answer is a page or a text of its own. The same answer also comes when it refuses everything, so a command that was refused
// alone is rejected only with proof that others pass:
//
//   - another command was accepted after its refusal, or
//   - it was refused again, and then a request without commands reached Bloomreach. That is enough for maxUnproven commands
//     in a row.
//
// Without proof the commands are unanswered and the error has ClassConfig. One refused command of n costs about 2*log2(n)
// requests.

// maxUnproven is the number of commands that are rejected in a row without an accepted one between them. One customer may cause
// several with the same text; more than that is taken as a fault that concerns all commands.
const maxUnproven = 10

// passing counts what passes to Bloomreach.
type passing struct {
	mu       sync.Mutex
	accepted int // commands
	unproven int // commands rejected since the last accepted one
}

func (p *passing) accept(commands int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accepted += commands
	p.unproven = 0
}

func (p *passing) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// allow reports whether n more commands may be rejected without an accepted one, and counts them.
func (p *passing) allow(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unproven+n > maxUnproven {
		return false
	}
	p.unproven += n
	return true
}

// blockedCommand is a command that was refused alone by something in front of Bloomreach.
type blockedCommand struct {
	*pendingCommand

	refused  *refusal
	accepted int // by then
}

func (b blockedCommand) reject() { b.result.reject(b.refused.requestID, b.refused.messages) }

// isBlocked reports whether an answer is not Bloomreach's: no JSON, or JSON without the members that its errors have. 401 and
// 407 are about credentials.
func isBlocked(a answer, parts map[string]json.RawMessage) bool {
	switch {
	case a.status == http.StatusUnauthorized, a.status == http.StatusProxyAuthRequired:
		return false
	case a.ok():
		return bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<"))
	case isRefusedStatus(a.status):
		return parts == nil
	}
	for _, member := range []string{"success", "error", "errors"} {
		if _, found := parts[member]; found {
			return false
		}
	}
	return true
}

// blocked returns the refusal of a request by something in front of Bloomreach.
func (c *Client) blocked(a answer, messages []string) *refusal {
	return &refusal{
		messages:  c.redactor.texts(messages),
		requestID: a.requestID,
		blocked:   c.newError(ClassConfig, a, messages[0]),
	}
}

// block keeps a command that was refused alone for rejectBlocked. It returns an error if nothing passes.
func (s *sender) block(ctx context.Context, command *pendingCommand, refused *refusal) error {
	if len(s.blocked) == 0 {
		if err := s.probe(ctx, refused); err != nil {
			return err
		}
	}
	s.blocked = append(s.blocked, blockedCommand{command, refused, s.passing.count()})
	return nil
}

// rejectBlocked rejects the blocked commands, if there is proof that others pass. failed is the error of the other commands.
func (s *sender) rejectBlocked(ctx context.Context, failed error) error {
	var unproven []blockedCommand
	for _, command := range s.blocked {
		if s.passing.count() > command.accepted {
			command.reject()
			continue
		}
		unproven = append(unproven, command)
	}
	if failed != nil || len(unproven) == 0 {
		return failed
	}
	if len(unproven) > maxUnproven {
		return unproven[0].refused.blocked
	}
	return s.rejectUnproven(ctx, unproven)
}

// rejectUnproven sends each command again, and rejects those that are refused again although requests pass.
func (s *sender) rejectUnproven(ctx context.Context, commands []blockedCommand) error {
	var again []blockedCommand
	for _, command := range commands {
		err := s.sendOnce(ctx, []pendingCommand{*command.pendingCommand})
		var refused *refusal
		switch {
		case err == nil:
		case !errors.As(err, &refused):
			return err
		case refused.blocked == nil:
			command.result.reject(refused.requestID, refused.messages)
		default:
			again = append(again, blockedCommand{pendingCommand: command.pendingCommand, refused: refused})
		}
	}
	if len(again) == 0 {
		return nil
	}
	if err := s.probe(ctx, again[0].refused); err != nil {
		return err
	}
	if !s.passing.allow(len(again)) {
		return again[0].refused.blocked
	}
	for _, command := range again {
		command.reject()
	}
	return nil
}

// probe sends a request without commands. Bloomreach refuses it with "No commands"
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-request-body-errors), so it changes nothing. The error
// is that of refused if the request does not reach Bloomreach either.
func (s *sender) probe(ctx context.Context, refused *refusal) error {
	answer, err := s.post(ctx, batchBody(nil))
	if err != nil {
		return err
	}
	err = s.classify(answer)
	var own *refusal
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &own):
		return err
	case own.blocked != nil:
		return refused.blocked
	}
	return nil
}
