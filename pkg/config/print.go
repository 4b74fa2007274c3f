package config

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/viper"
)

// row is one line of Print.
type row struct{ path, value, origin string }

func rowsOf(s *scope, v *viper.Viper) []row {
	rows := make([]row, 0, len(s.keys))
	for _, k := range s.keys {
		rows = append(rows, row{path: s.label + k.Path, value: printed(k, v.Get(k.Path)), origin: s.origin(k.Path)})
	}
	return rows
}

// Print writes every key with its value and its origin, one per line: default, file and line, the variable of the
// environment, or the file that it names. Secrets are written as ***.
func (l Loaded) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range l.rows {
		if _, err := fmt.Fprintf(table, "%s\t%s\t# %s\n", r.path, r.value, r.origin); err != nil {
			return fmt.Errorf("print configuration: %w", err)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	return nil
}

func printed(k Key, value any) string {
	switch v := value.(type) {
	case []string:
		elements := make([]string, len(v))
		for i, e := range v {
			elements[i] = printedText(k, e)
		}
		return "[" + strings.Join(elements, ", ") + "]"
	case string:
		return printedText(k, v)
	case time.Duration:
		return shortDuration(v)
	default:
		return fmt.Sprint(v)
	}
}

func printedText(k Key, text string) string {
	if k.Secret && text != "" {
		return masked
	}
	return fmt.Sprintf("%q", text)
}

// shortDuration formats 10m0s as 10m.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
