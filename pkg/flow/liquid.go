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

// The one file that knows the Liquid engine, github.com/osteele/liquid v1.9.2. Its traps, met here:
//   - {% include %} and {% render %} read files: unregistered, and the template store has none
//   - a loop or a capture may grow without end: forbidden by scan, since the engine can not unregister a block
//   - some filters grow without end: forbidden by scan, and replaced by errors here
//   - an unknown filter or variable is an error only when it is reached: found by scan
//   - the filter date knows "now" and the machine's zone: ours does not

var (
	errNoFiles   = errors.New("a text can not read files")
	errForbidden = errors.New("not part of the language of texts")
	errTooLong   = fmt.Errorf("the text is longer than %d characters", MaxText)
)

// fill parses and renders a template with the bound names.
func fill(text string, bindings map[string]any) (out string, err error) {
	defer func() { // the engine panics on values it did not expect
		if r := recover(); r != nil {
			out, err = "", fmt.Errorf("template engine gave up: %v", r)
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
	return e
}

// closed replaces every standard filter that is not allowed by an error.
type closed struct{ engine *liquid.Engine }

// AddFilter is called by the library once for each of its filters.
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

// ReadTemplate always refuses.
func (noFiles) ReadTemplate(string) ([]byte, error) { return nil, errNoFiles }

// date formats a day (2006-01-02) or an instant (RFC 3339, in the zone it is written in) with strftime: %b %-d is "May 4".
// What is not known stays not known; anything else that is no date is left as it is, as Shopify does.
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

// limited keeps what is written, up to a number of bytes.
type limited struct {
	text strings.Builder
	left int
}

var _ io.Writer = (*limited)(nil)

// Write refuses what no longer fits.
func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return 0, errTooLong
	}
	l.left -= len(p)
	return l.text.Write(p)
}
