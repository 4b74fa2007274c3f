package flow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/rechargeflow/rechargeflow/configs"
)

// maxFile is the maximum size of a flows file in bytes. Twelve texts of MaxSource take a fifth of that.
const maxFile = 128 << 10

// Defaults returns the built-in flows. None is active.
func Defaults() ([]Flow, error) {
	return parse(configs.Flows(), make([]Flow, 0, len(Keys())))
}

// Parse reads a flows file, a YAML list of flows with the fields key, name, text, active, quiet_hours, window, per_charge and daily_cap. It
// returns all flows in the order of Keys. Fields and flows that the file leaves out have their values in base, which has all flows. The key
// charge_will_be_retired is another spelling of charge_will_be_retried.
//
// An unknown field or flow, a flow that is listed twice and a value of the wrong type are faults, all reported at once. Check
// validates the texts.
func Parse(file []byte, base []Flow) ([]Flow, error) { return parse(file, base) }

// parse overrides base with the file. With an empty base the file must list all flows.
func parse(file []byte, base []Flow) ([]Flow, error) {
	if len(file) > maxFile {
		return nil, fmt.Errorf("parse flows: the file has %d bytes, at most %d are allowed", len(file), maxFile)
	}
	entries, err := list(file)
	if err != nil {
		return nil, err
	}
	var fs faults
	byKey := make(map[Key]Flow, len(Keys()))
	for _, f := range base {
		byKey[f.Key] = f
	}
	seen := map[Key]int{}
	for i, entry := range entries {
		readEntry(entry, fmt.Sprintf("number %d", i+1), byKey, seen, &fs)
	}
	out := make([]Flow, 0, len(Keys()))
	for _, k := range Keys() {
		f, ok := byKey[k]
		if !ok {
			fs.add(string(k), "", "missing: add it")
		}
		out = append(out, f)
	}
	if len(fs) > 0 {
		return nil, fmt.Errorf("parse flows: %w", fs.err())
	}
	return out, nil
}

// list returns the entries of the file's list, none for an empty file.
func list(file []byte) ([]*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(file))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("parse flows: %w", err)
	}
	if dec.Decode(new(yaml.Node)) == nil {
		return nil, errors.New("parse flows: the file has several YAML documents; write one list of flows, without ---")
	}
	root := doc.Content[0] // a decoded document has one node
	switch {
	case root.Kind == yaml.SequenceNode:
		return root.Content, nil
	case root.ShortTag() == "!!null":
		return nil, nil
	default:
		return nil, fmt.Errorf("parse flows: line %d: want a list of flows, each beginning with \"- key:\"", root.Line)
	}
}

// readEntry overrides the entry's flow in byKey.
func readEntry(entry *yaml.Node, place string, byKey map[Key]Flow, seen map[Key]int, fs *faults) {
	if entry.Kind != yaml.MappingNode {
		fs.add(place, "", "line %d: want the fields %s", entry.Line, fieldNames)
		return
	}
	key, ok := readKey(entry, place, fs)
	if !ok {
		return
	}
	if first, twice := seen[key]; twice {
		fs.add(string(key), "key", "line %d: already on line %d; remove one of the two", entry.Line, first)
		return
	}
	seen[key] = entry.Line
	f, known := byKey[key]
	if !known {
		f = builtIn(key)
	}
	readFields(entry, &f, fs)
	byKey[key] = f
}

// readKey returns the key of an entry's flow.
func readKey(entry *yaml.Node, place string, fs *faults) (Key, bool) {
	for i := 0; i+1 < len(entry.Content); i += 2 {
		if entry.Content[i].Value != "key" {
			continue
		}
		value := entry.Content[i+1]
		if key := keyOf(value.Value); value.Kind == yaml.ScalarNode && slices.Contains(Keys(), key) {
			return key, true
		}
		fs.add(place, "key", "line %d: no flow has the key %q; the keys are %s", value.Line, value.Value, joined(Keys()))
		return "", false
	}
	fs.add(place, "key", "line %d: missing; the keys are %s", entry.Line, joined(Keys()))
	return "", false
}

// keyOf returns the key that a name means. In Recart's list of flows charge_will_be_retried is misspelled.
func keyOf(name string) Key {
	if aliased, found := strings.CutSuffix(name, "_be_retired"); found {
		return Key(aliased + "_be_retried")
	}
	return Key(name)
}

const fieldNames = "key, name, text, active, quiet_hours, window, per_charge, daily_cap"

// readFields reads the fields of an entry into f.
func readFields(entry *yaml.Node, f *Flow, fs *faults) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(entry.Content); i += 2 {
		name, value := entry.Content[i], entry.Content[i+1]
		if seen[name.Value] {
			fs.add(string(f.Key), name.Value, "line %d: given twice; remove one", name.Line)
			continue
		}
		seen[name.Value] = true
		if name.Value != "key" {
			readField(name, value, f, fs)
		}
	}
}

func readField(name, value *yaml.Node, f *Flow, fs *faults) {
	switch field := name.Value; field {
	case "name":
		read(value, &f.Name, "!!str", "a text", f.Key, field, fs)
	case "text":
		read(value, &f.Text, "!!str", "a text; put it in quotes", f.Key, field, fs)
	case "active":
		read(value, &f.Active, "!!bool", "true or false", f.Key, field, fs)
	case "quiet_hours":
		read(value, &f.QuietHours, "!!bool", "true or false", f.Key, field, fs)
	case "window":
		read(value, &f.Window, "!!str", "a duration, such as 60s", f.Key, field, fs)
	case "per_charge":
		read(value, &f.PerCharge, "!!int", "a number", f.Key, field, fs)
	case "daily_cap":
		read(value, &f.DailyCap, "!!bool", "true or false", f.Key, field, fs)
	default:
		fs.add(string(f.Key), field, "line %d: no such field; a flow has %s", name.Line, fieldNames)
	}
}

// read decodes a scalar of the required YAML type.
func read[T any](value *yaml.Node, into *T, tag, want string, flow Key, field string, fs *faults) {
	if value.Kind != yaml.ScalarNode || value.ShortTag() != tag || value.Decode(into) != nil {
		fs.add(string(flow), field, "line %d: want %s", value.Line, want)
	}
}

// joined lists names for an error message.
func joined[T ~string](names []T) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = string(n)
	}
	return strings.Join(words, ", ")
}
