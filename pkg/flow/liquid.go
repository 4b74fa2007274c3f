package flow

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/osteele/liquid"
	"github.com/osteele/liquid/filters"
	"github.com/osteele/tuesday"
)

// The only file that uses the Liquid engine, github.com/osteele/liquid v1.9.2. How its risks are handled:
//   - {% include %} and {% render %} read files: they are unregistered, and the template store is empty
//   - a loop or a capture has no size limit: scan refuses both, since the engine can't unregister a block
//   - some filters have no size limit: scan refuses them, and here they are replaced by errors
//   - an unknown filter or variable is an error only when it is evaluated: scan finds it
//   - the filter date reads the clock ("now") and the machine's time zone: ours does neither

var (
	errNoFiles   = errors.New("templates can't read files")
	errForbidden = errors.New("filter is not allowed in a text")
	errTooLong   = fmt.Errorf("the text is longer than %d characters", MaxText)
)

// fill parses a template and renders it with the given variables.
func fill(text string, bindings map[string]any) (out string, err error) {
	defer func() { // the engine panics on unexpected values
		if r := recover(); r != nil {
			out, err = "", fmt.Errorf("template engine panicked: %v", r)
		}
	}()
	template, parseErr := newEngine().ParseString(text)
	if parseErr != nil {
		return "", parseErr
	}
	w := &limited{left: 4 * MaxText}
	if renderErr := template.FRender(w, bindings); renderErr != nil {
		return "", renderErr
	}
	return w.text.String(), nil
}

func newEngine() *liquid.Engine {
	e := liquid.NewEngine()
	e.StrictVariables()
	e.RegisterTemplateStore(noFiles{})
	for _, tag := range []string{"include", "render", "assign", "cycle", "break", "continue"} {
		e.UnregisterTag(tag)
	}
	filters.AddStandardFilters(closed{e})
	e.RegisterFilter("date", date)
	e.RegisterFilter("join", join)
	return e
}

// closed replaces each standard filter that is not allowed with one that fails.
type closed struct{ engine *liquid.Engine }

// AddFilter receives each of the library's filters.
func (c closed) AddFilter(name string, _ any) {
	for _, allowed := range allowedFilters() {
		if name == allowed {
			return
		}
	}
	c.engine.RegisterFilter(name, func(any) (any, error) { return nil, errForbidden })
}

// noFiles is a template store without templates.
type noFiles struct{}

// ReadTemplate always fails.
func (noFiles) ReadTemplate(string) ([]byte, error) { return nil, errNoFiles }

// date formats a day (2006-01-02) or an instant (RFC 3339, in its own zone) with strftime: %b %-d gives "May 4". An unknown
// value stays unknown. A value that is not a date is returned unchanged, as in Shopify.
func date(value any, format func(string) string) (any, error) {
	text, ok := value.(string)
	if !ok {
		return value, nil
	}
	layout := format("%b %-d, %Y")
	if strings.ContainsAny(layout, "0123456789") || len(layout) > 64 {
		return nil, fmt.Errorf("format %q: use directives without a width, such as %q", layout, "%b %-d")
	}
	for _, known := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(known, text); err == nil {
			return tuesday.Strftime(layout, t)
		}
	}
	return value, nil
}

// join lists titles with a separator between them. Any other value is returned unchanged.
func join(value any, separator func(string) string) any {
	titles, ok := value.([]string)
	if !ok {
		return value
	}
	return strings.Join(titles, separator(", "))
}

// limited is a writer with a byte limit.
type limited struct {
	text strings.Builder
	left int
}

var _ io.Writer = (*limited)(nil)

// Write fails when the limit is exceeded.
func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return 0, errTooLong
	}
	l.left -= len(p)
	return l.text.Write(p)
}
