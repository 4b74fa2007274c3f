package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// The exit codes.
const (
	ExitOK     = 0
	ExitFailed = 1
	ExitUsage  = 2 // wrong usage or configuration: the same call fails again
	ExitDrift  = 3 // a dry run: something would change
)

// mistake is an error that the same call would return again: exit code 2.
type mistake struct {
	error

	hint bool // whether the command's help shows what to change
	list bool // whether each line names its origin, as faults of a file do
}

// Unwrap returns the cause.
func (m mistake) Unwrap() error { return m.error }

// Usage marks an error as wrong usage of a command.
func Usage(err error) error { return mistake{error: err, hint: true} }

// FlagError marks an error of parsing flags as wrong usage, and says what a value must be in place of how Go parses it.
func FlagError(err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return Usage(err)
	}
	expected := map[string]string{"int": "a whole number", "int64": "a whole number", "float64": "a number", "bool": "true or false"}[invalid.GetFlag().Value.Type()]
	if expected == "" {
		return Usage(err)
	}
	return Usage(fmt.Errorf("--%s is %q, expected %s", invalid.GetFlag().Name, invalid.GetValue(), expected))
}

// Setting marks an error as caused by a setting.
func Setting(err error) error { return mistake{error: err} }

// Faults marks configuration faults, one per line, and adds a summary line.
func Faults(err error, sum string) error {
	return mistake{error: fmt.Errorf("%w\nrechargeflow: %s", err, sum), list: true}
}

// ErrReported makes a command fail without another message: the log has the cause.
var ErrReported = errors.New("failed")

// drift is what a dry run found: exit code 3.
type drift struct{ error }

// Drift marks an error as something that a dry run would change.
func Drift(err error) error { return drift{err} }

// Report prints err as the last line and returns its exit code.
func Report(w io.Writer, command *cobra.Command, err error) int {
	if err == nil {
		return ExitOK
	}
	if errors.Is(err, ErrReported) {
		return ExitFailed
	}
	var m mistake
	var d drift
	isMistake := errors.As(err, &m)
	if m.list {
		Printf(w, "%v\n", err)
	} else {
		Printf(w, "%s: %v\n", command.CommandPath(), err)
	}
	if m.hint {
		Printf(w, "run \"%s --help\"\n", command.CommandPath())
	}
	switch {
	case isMistake:
		return ExitUsage
	case errors.As(err, &d):
		return ExitDrift
	}
	return ExitFailed
}

// Advised adds to an error of Recharge's API what to do about it.
func Advised(err error) error {
	var failed *recharge.APIError
	if !errors.As(err, &failed) || failed.Advice() == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, failed.Advice())
}
