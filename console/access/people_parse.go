package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/bcrypt"
)

// entry is a person of the file.
type entry struct {
	name string
	role Role
	hash string
	line int
}

// ParsePeople checks the content of a file of people. The error has all faults, each with its line.
func ParsePeople(path string, content []byte) error {
	_, err := parsePeople(path, content)
	return err
}

// reader reads a file of people, and collects its faults.
type reader struct {
	path   string
	faults []error
	lines  map[string]int // of names
}

func (p *reader) fault(at *yaml.Node, format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf("%s:%d: %s", p.path, at.Line, fmt.Sprintf(format, args...)))
}

func parsePeople(path string, content []byte) ([]entry, error) {
	p := &reader{path: path, lines: map[string]int{}}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s: is empty, expected people: and a list of name, role and hash", path)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: expected one YAML document, there is something after it", path)
	}
	list := p.listOf(document.Content[0])
	known := make([]entry, 0, len(list))
	for _, node := range list {
		known = append(known, p.entry(node))
	}
	if len(list) == 0 && len(p.faults) == 0 {
		p.fault(&document, "people: expected at least one person")
	}
	return known, errors.Join(p.faults...)
}

// listOf returns the elements below people:.
func (p *reader) listOf(top *yaml.Node) []*yaml.Node {
	if top.Kind != yaml.MappingNode {
		p.fault(top, "expected people: and a list")
		return nil
	}
	var list []*yaml.Node
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		switch {
		case key.Value != "people":
			p.fault(key, "unknown key %s, expected people", shown(key.Value))
		case value.Kind != yaml.SequenceNode:
			p.fault(value, "people: expected a list of name, role and hash")
		case list != nil:
			p.fault(key, "people is there twice")
		default:
			list = value.Content
		}
	}
	return list
}

// entry reads one person.
func (p *reader) entry(node *yaml.Node) (e entry) {
	if node.Kind != yaml.MappingNode {
		p.fault(node, "expected name, role and hash of a person")
		return e
	}
	e.line = node.Line
	var role string
	fields := map[string]*string{"name": &e.name, "role": &role, "hash": &e.hash}
	at := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch field := fields[key.Value]; {
		case field == nil:
			p.fault(key, "unknown key %s, expected name, role or hash", shown(key.Value))
		case at[key.Value] != nil:
			p.fault(key, "%s is there twice", key.Value)
		case value.Kind != yaml.ScalarNode:
			p.fault(value, "%s: expected a text", key.Value)
			at[key.Value] = value
		default:
			*field, at[key.Value] = value.Value, value
		}
	}
	e.role = Role(role)
	p.check(node, e, at)
	return e
}

// check reports what is missing or wrong. No fault shows a hash: somebody may have put a password there.
func (p *reader) check(node *yaml.Node, e entry, at map[string]*yaml.Node) {
	for _, field := range []string{"name", "role", "hash"} {
		if at[field] == nil {
			p.fault(node, "%s is missing", field)
		}
	}
	if name := at["name"]; name != nil {
		if err := CheckName(e.name); err != nil {
			p.fault(name, "%v", err)
		} else if line, twice := p.lines[e.name]; twice {
			p.fault(name, "name: %s is in line %d, too", e.name, line)
		}
		p.lines[e.name] = name.Line
	}
	if role := at["role"]; role != nil && !e.role.IsValid() {
		p.fault(role, "role: given %s, expected viewer, editor or operator", shown(string(e.role)))
	}
	if hash := at["hash"]; hash != nil {
		if err := checkHash(e.hash); err != nil {
			p.fault(hash, "hash: %v", err)
		}
	}
}

// CheckName returns an error unless a name can be one of a person.
func CheckName(name string) error {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{0,63}$`).MatchString(name) {
		return fmt.Errorf("name: given %s, expected 1 to 64 of a-z, 0-9 and . _ @ + -", shown(name))
	}
	if name == Local {
		return fmt.Errorf("name: %s is who uses a console without people, expected another name", Local)
	}
	return nil
}

// Bounds of the costs of hashes: below them guessing is too fast, above them logging in too slow.
const (
	minCost = 10
	maxCost = 14
)

func checkHash(hash string) error {
	cost, err := bcrypt.Cost([]byte(hash))
	switch {
	case err != nil || len(hash) != 60 || strings.Trim(hash[7:], bcryptLetters) != "":
		return errors.New("expected a bcrypt hash, which rechargeflow console password makes")
	case cost < minCost || cost > maxCost:
		return fmt.Errorf("has cost %d, expected %d to %d", cost, minCost, maxCost)
	}
	return nil
}

const bcryptLetters = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// shown quotes a text for a fault, shortened.
func shown(text string) string {
	const most = 40
	if len(text) > most {
		return fmt.Sprintf("%q...", text[:most])
	}
	return fmt.Sprintf("%q", text)
}
