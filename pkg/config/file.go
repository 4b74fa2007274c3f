package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// file reads a YAML file key by key as declared, so that each fault has its line.
type file struct {
	name   string
	faults *Faults
	root   *scope
	stores []*scope
}

// read fills f.root with the settings outside stores, and f.stores with one scope for each store.
func (f *file) read(content []byte) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF) || (err == nil && len(document.Content) == 0):
		return
	case err != nil:
		f.faults.add(f.name, "", "not valid YAML: %s", withoutContent(err))
		f.root.distrusted["stores"] = true
		return
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		f.faults.add(f.name, "", "expected one YAML document, given more; remove the line ---")
	}
	f.section(f.root, document.Content[0], "")
}

func (f *file) readStores(node *yaml.Node) {
	node = target(node)
	if isNull(node) {
		return
	}
	if node.Kind != yaml.SequenceNode {
		f.faults.add(f.at(node), "stores", "given %s, expected a list, each store beginning with \"- name:\"", kindOfNode(node))
		f.root.distrusted["stores"] = true
		return
	}
	for i, entry := range node.Content {
		s := newScope(f.label(i, target(entry)), f.at(entry), storeKeys())
		f.section(s, entry, "")
		f.stores = append(f.stores, s)
	}
}

// label names a store by its name if that is valid, else by its index.
func (f *file) label(i int, entry *yaml.Node) string {
	name := storeKeys()[0]
	if entry.Kind == yaml.MappingNode {
		for j := 0; j+1 < len(entry.Content); j += 2 {
			value := target(entry.Content[j+1])
			if entry.Content[j].Value == name.Path && value.Value != "" && name.allows(value.Value) {
				return "stores[" + value.Value + "]."
			}
		}
	}
	return fmt.Sprintf("stores[%d].", i)
}

// section reads the keys below prefix into s. Unknown keys and wrong values are faults.
func (f *file) section(s *scope, node *yaml.Node, prefix string) {
	node = target(node)
	if isNull(node) {
		return
	}
	if node.Kind != yaml.MappingNode {
		f.faults.add(f.at(node), strings.TrimSuffix(s.label+prefix, "."), "given %s, expected keys with values (key: value)", kindOfNode(node))
		s.distrust(strings.TrimSuffix(prefix, "."))
		return
	}
	for _, p := range f.pairs(node, s.label+prefix) {
		path := prefix + p.key.Value
		key, isKey := s.key(path)
		switch {
		case strings.Contains(p.key.Value, "."):
			f.unknown(s, prefix, p.key)
		case isKey:
			f.value(s, key, p.value)
		case s.isSection(path):
			f.section(s, p.value, path+".")
		case path == "stores" && s == f.root:
			f.readStores(p.value)
		default:
			f.unknown(s, prefix, p.key)
		}
	}
}

func (f *file) unknown(s *scope, prefix string, key *yaml.Node) {
	if instead := removed(prefix + key.Value); instead != "" {
		f.faults.add(f.at(key), s.label+prefix+key.Value, "no longer a setting: %s", instead)
		return
	}
	names := s.names(prefix)
	hint, nearest := didYouMean(key.Value, names)
	if nearest != "" {
		s.distrust(prefix + nearest)
	}
	f.faults.add(f.at(key), s.label+prefix+keyShown(key.Value), "unknown key%s", hint)
}

func (f *file) value(s *scope, key Key, node *yaml.Node) {
	node = target(node)
	value, ok := read(key, node)
	if !ok {
		f.faults.add(f.at(node), s.label+key.Path, "given %s, expected %s", given(key, node), key.Expected())
		s.distrust(key.Path)
		return
	}
	s.file[key.Path] = setting{value: value, origin: f.at(node)}
}

// read returns the text of a scalar as written, so that a phone number or a version is never parsed as a number and formatted
// differently.
func read(key Key, node *yaml.Node) (any, bool) {
	switch {
	case key.Kind == KindList && node.Kind == yaml.SequenceNode:
		elements := make([]string, len(node.Content))
		for i, e := range node.Content {
			if e = target(e); e.Kind != yaml.ScalarNode || isNull(e) {
				return nil, false
			}
			elements[i] = e.Value
		}
		return key.parseList(elements)
	case key.Kind == KindList, node.Kind != yaml.ScalarNode, isNull(node):
		return nil, false
	default:
		return key.parse(node.Value)
	}
}

type pair struct{ key, value *yaml.Node }

// pairs returns the keys and values of a mapping: its own, then those of the mapping that it merges with <<.
func (f *file) pairs(node *yaml.Node, label string) []pair {
	var pairs []pair
	var merged *yaml.Node
	lines := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := target(node.Content[i]), node.Content[i+1]
		first, twice := lines[key.Value]
		lines[key.Value] = key.Line
		switch {
		case key.Kind != yaml.ScalarNode:
			f.faults.add(f.at(key), strings.TrimSuffix(label, "."), "given %s, expected a key", kindOfNode(key))
		case twice:
			f.faults.add(f.at(key), label+keyShown(key.Value), "given twice, first in line %d", first)
		case key.ShortTag() == "!!merge":
			merged = target(value)
		default:
			pairs = append(pairs, pair{key, value})
		}
	}
	return append(pairs, f.merged(merged, lines, label)...)
}

// merged returns the pairs of node whose keys are not in lines. It merges one level only: nested merges can grow without limit.
func (f *file) merged(node *yaml.Node, lines map[string]int, label string) []pair {
	if node == nil {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		f.faults.add(f.at(node), label+"<<", "given %s, expected one mapping to merge", kindOfNode(node))
		return nil
	}
	var pairs []pair
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := target(node.Content[i])
		if _, own := lines[key.Value]; own {
			continue
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			f.faults.add(f.at(key), label+"<<", "expected a mapping of plain keys that merges no other")
			continue
		}
		pairs = append(pairs, pair{key, node.Content[i+1]})
	}
	return pairs
}

func (f *file) at(node *yaml.Node) string { return fmt.Sprintf("%s:%d", f.name, node.Line) }

// given describes a refused value.
func given(key Key, node *yaml.Node) string {
	switch {
	case key.Kind == KindList && node.Kind == yaml.SequenceNode:
		return refused(key, node) + " as an element"
	case key.Kind == KindList || node.Kind != yaml.ScalarNode || isNull(node):
		return kindOfNode(node)
	default:
		return key.shown(node.Value)
	}
}

// refused describes the first invalid element of a list.
func refused(key Key, list *yaml.Node) string {
	for _, e := range list.Content {
		e = target(e)
		if e.Kind != yaml.ScalarNode || isNull(e) {
			return kindOfNode(e)
		}
		if _, ok := key.parseList([]string{e.Value}); !ok {
			return key.shown(e.Value)
		}
	}
	return "nothing"
}

// kindOfNode returns the kind of a node, without its content.
func kindOfNode(node *yaml.Node) string {
	switch {
	case isNull(node):
		return "nothing"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case node.Kind == yaml.MappingNode:
		return "keys with values"
	default:
		return "a single value"
	}
}

// target resolves an alias.
func target(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// withoutContent cuts an error of the YAML library before the first text that it quotes, which could be a secret.
func withoutContent(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if i := strings.IndexAny(text, "'\"`"); i >= 0 {
		text = strings.TrimSpace(text[:i]) + " (a value beginning with * & ! % @ or ` needs quotes)"
	}
	return text
}

// keyShown cuts an unknown key at the first character that is invalid in a key: "token:abc" lacks a space and may contain a
// secret.
func keyShown(key string) string {
	shown := regexp.MustCompile(`^[A-Za-z0-9_.-]{0,40}`).FindString(key)
	if shown != key {
		shown += "..."
	}
	return shown
}
