package service

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The errors of all methods, wrapped with words that may be shown. What is none of them is a fault of ours.
var (
	// ErrNotFound means that there is nothing of this name.
	ErrNotFound = errors.New("not found")
	// ErrInvalid means that a request can't be fulfilled as it is: see InvalidError for its fields.
	ErrInvalid = errors.New("invalid request")
	// ErrConflict means that somebody else has changed it since the version that the request names.
	ErrConflict = errors.New("changed by somebody else")
	// ErrForbidden means that a setting or a decision of a customer forbids it.
	ErrForbidden = errors.New("not allowed")
	// ErrLimited means that it was done too often: see LimitedError.
	ErrLimited = errors.New("too many requests")
	// ErrUnavailable means that brokers or another system did not answer. The same request may succeed later.
	ErrUnavailable = errors.New("not available now")
)

// Fault is what is wrong with one field of a request, or probably not intended in it.
type Fault struct {
	Flow    string `json:"flow,omitempty"`  // key of the flow, "" for none
	Field   string `json:"field,omitempty"` // text, version, number...; "" for the whole
	Problem string `json:"problem"`         // what is wrong and what to do
}

// String formats the fault as one line.
func (f Fault) String() string {
	switch {
	case f.Field == "":
		return f.Problem
	case f.Flow == "":
		return f.Field + ": " + f.Problem
	}
	return "flow " + f.Flow + ": " + f.Field + ": " + f.Problem
}

// InvalidError has all faults of a request. It wraps ErrInvalid.
type InvalidError struct{ Faults []Fault }

// Error lists the faults, one per line.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns ErrInvalid.
func (e *InvalidError) Unwrap() error { return ErrInvalid }

// LimitedError says when the request may be repeated. It wraps ErrLimited.
type LimitedError struct {
	Problem    string
	RetryAfter time.Duration
}

// Error says what was done too often.
func (e *LimitedError) Error() string { return e.Problem }

// Unwrap returns ErrLimited.
func (e *LimitedError) Unwrap() error { return ErrLimited }

// invalid returns an InvalidError about one field.
func invalid(field, format string, args ...any) error {
	return &InvalidError{Faults: []Fault{{Field: field, Problem: fmt.Sprintf(format, args...)}}}
}

// plainError is an error of a method in the words of its cause.
type plainError struct {
	error
	words string
}

// Error returns the words of the cause.
func (e plainError) Error() string { return e.words }

// Unwrap returns the whole error.
func (e plainError) Unwrap() error { return e.error }

// Plain returns an error without the words of the sentinel that it begins with, such as "not found: ", for who prints it.
func Plain(err error) error {
	for _, each := range []error{ErrNotFound, ErrConflict, ErrForbidden, ErrUnavailable} {
		if errors.Is(err, each) {
			return plainError{err, strings.TrimPrefix(err.Error(), each.Error()+": ")}
		}
	}
	return err
}
