package initial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
)

const (
	inStore = "stores[]." // prefix of the paths of a store's keys
	ofName  = inStore + "name"
)

// answers are the values of keys, by path.
type answers map[string]string

// questions returns the keys to ask for, those of the store first.
func questions() []config.Key {
	var ofStore, others []config.Key
	for _, k := range config.Keys() {
		switch {
		case k.Ask == "":
		case strings.HasPrefix(k.Path, inStore):
			ofStore = append(ofStore, k)
		default:
			others = append(others, k)
		}
	}
	return append(ofStore, others...)
}

// flagOf returns the flag of a key: bloomreach-url of stores[].bloomreach.url.
func flagOf(k config.Key) string {
	if k.Path == ofName {
		return "store"
	}
	return strings.NewReplacer(".", "-", "_", "-").Replace(strings.TrimPrefix(k.Path, inStore))
}

func addFlags(flags *pflag.FlagSet) {
	for _, k := range questions() {
		flags.String(flagOf(k), k.Default, k.Doc)
	}
}

// given returns the values of the flags that are set.
func given(flags *pflag.FlagSet) (answers, error) {
	a := answers{}
	for _, k := range questions() {
		flag := flags.Lookup(flagOf(k))
		if !flag.Changed {
			continue
		}
		value := strings.TrimSpace(flag.Value.String())
		if wrong := wrongWith(k, value); wrong != "" {
			return nil, fmt.Errorf("--%s is %q, %s", flag.Name, value, wrong)
		}
		a[k.Path] = value
	}
	return a, nil
}

// wrongWith says what is wrong with a value, "" if it is valid.
func wrongWith(k config.Key, value string) string {
	switch {
	case value == "" && k.Ask == config.AskRequired:
		return "expected a value"
	case value != "" && !k.Allows(value):
		return "expected " + k.Expected()
	}
	return ""
}

// applies reports whether a key is asked for, with the answers so far.
func (a answers) applies(k config.Key) bool {
	path, value, exact := strings.Cut(k.AskIf, "=")
	if path == "" {
		return true
	}
	if strings.HasPrefix(k.Path, inStore) {
		path = inStore + path
	}
	return a[path] != "" && (!exact || a[path] == value)
}

// fill sets what has a default, and returns an error that names the flags of what has none.
func (a answers) fill() error {
	var missing []string
	for _, k := range questions() {
		if _, has := a[k.Path]; has || !a.applies(k) {
			continue
		}
		if k.Ask == config.AskRequired && k.Default == "" {
			missing = append(missing, "--"+flagOf(k))
		}
		a[k.Path] = k.Default
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("missing: %s. Give them as flags, or run the command on a terminal, where it asks", strings.Join(missing, ", "))
}

// ignored returns the flags that are given and have no effect, because another one is not.
func (a answers) ignored() (flags []string) {
	for _, k := range questions() {
		if _, has := a[k.Path]; has && !a.applies(k) {
			flags = append(flags, "--"+flagOf(k)+" needs "+k.AskIf)
		}
	}
	return flags
}

// ask asks for what is not given. It ends with ctx, or with the input.
func (a answers) ask(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := read(ctx, in)
	for _, k := range questions() {
		if _, has := a[k.Path]; has || !a.applies(k) {
			continue
		}
		cli.Printf(out, "\n%s\n", strings.Join(wrapped(k.Doc, width), "\n"))
		for done := false; !done; {
			cli.Printf(out, "%s%s: ", strings.TrimPrefix(k.Path, inStore), hint(k))
			select {
			case <-ctx.Done():
				return errors.New("interrupted, nothing was written")
			case line, more := <-lines:
				if !more {
					return nil // fill names what is missing
				}
				done = a.answer(k, line, out)
			}
		}
	}
	cli.Printf(out, "\n")
	return nil
}

// answer takes a line of input. It prints what is wrong, and reports whether nothing is.
func (a answers) answer(k config.Key, line string, out io.Writer) bool {
	value := strings.TrimSpace(line)
	if value == "" {
		value = k.Default
	}
	if wrong := wrongWith(k, value); wrong != "" {
		cli.Printf(out, "%s\n", wrong)
		return false
	}
	a[k.Path] = value
	return true
}

// hint says what an empty line means, and which values there are.
func hint(k config.Key) string {
	values := slices.DeleteFunc(slices.Clone(k.OneOf), func(v string) bool { return v == "" })
	text := ""
	if len(values) > 0 {
		text = " (" + strings.Join(values, ", ") + ")"
	} else if k.Example != "" {
		text = " (such as " + k.Example + ")"
	}
	switch {
	case k.Default != "":
		return text + " [" + k.Default + "]"
	case k.Ask == config.AskOptional:
		return text + " [empty]"
	}
	return text
}

// read returns the lines of an input, until it or ctx ends.
func read(ctx context.Context, in io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}
