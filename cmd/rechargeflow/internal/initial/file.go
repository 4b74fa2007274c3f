package initial

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// width is how many characters a line of text has at most.
const width = 100

const head = `# Written by rechargeflow init. docs/configuration.md explains every key. Secrets are not in this file:
# set them in the environment, or in files that variables with _FILE at their end name.
`

// file returns the configuration file.
func (a answers) file() (string, error) {
	var text strings.Builder
	text.WriteString(head)
	for _, k := range config.Keys() {
		if _, has := a[k.Path]; has && !strings.HasPrefix(k.Path, inStore) {
			if err := a.write(&text, k, k.Path, ""); err != nil {
				return "", err
			}
		}
	}
	text.WriteString("\nstores:\n")
	for _, k := range config.Keys() {
		path, ofStore := strings.CutPrefix(k.Path, inStore)
		if _, has := a[k.Path]; !has || !ofStore {
			continue
		}
		if err := a.write(&text, k, path, "    "); err != nil {
			return "", err
		}
	}
	// The name is first: its lines begin the element of the list.
	return strings.Replace(text.String(), "\nstores:\n    #", "\nstores:\n  - #", 1), nil
}

// write appends a key with its description, and its sections if they have not begun.
func (a answers) write(text *strings.Builder, k config.Key, path, indent string) error {
	names := strings.Split(path, ".")
	last := len(names) - 1
	for _, section := range names[:last] {
		if begin := "\n" + indent + section + ":\n"; !strings.Contains(text.String(), begin) {
			if indent == "" {
				text.WriteString("\n")
			}
			text.WriteString(begin[1:])
		}
		indent += "  "
	}
	value, err := encoded(k, a[k.Path])
	if err != nil {
		return err
	}
	for _, line := range wrapped(k.Doc, width-len(indent)) {
		fmt.Fprintf(text, "%s# %s\n", indent, line)
	}
	fmt.Fprintf(text, "%s%s: %s\n", indent, names[last], value)
	return nil
}

// encoded returns a value as YAML.
func encoded(k config.Key, value string) (string, error) {
	if k.Kind == config.KindList {
		items := []string{}
		for item := range strings.SplitSeq(value, ",") {
			if item = strings.TrimSpace(item); item == "" {
				continue
			}
			each, err := scalar(item)
			if err != nil {
				return "", err
			}
			items = append(items, each)
		}
		return "[" + strings.Join(items, ", ") + "]", nil
	}
	return scalar(value)
}

func scalar(value string) (string, error) {
	text, err := yaml.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode value: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// wrapped divides a text into lines.
func wrapped(text string, width int) []string {
	var lines []string
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last < 0 || len(lines[last])+1+len(word) > width {
			lines = append(lines, word)
			continue
		}
		lines[last] += " " + word
	}
	return lines
}
