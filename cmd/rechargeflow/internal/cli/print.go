package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// Printf writes to a standard stream. It ignores errors: then nobody reads that stream.
func Printf(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format, args...)
}

// Printable replaces control characters: a terminal could execute them, and each dead letter must stay on one line.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// YesNo prints a flag as a word.
func YesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// PrintJSON prints a value as indented JSON.
func PrintJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// PrintPage returns what prints a generated page.
func PrintPage(write func() (string, error)) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, _ []string) error {
		page, err := write()
		if err != nil {
			return err
		}
		Printf(command.OutOrStdout(), "%s", page)
		return nil
	}
}
