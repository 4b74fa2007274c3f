package access

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// AddPerson adds a person to a file of people, which it makes if there is none. Nothing else in the file is changed. The file has
// no fault afterwards.
func AddPerson(path, name string, role Role, hash string) error {
	before, err := readPeople(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	element := fmt.Sprintf("- name: %s\n  role: %s\n  hash: %s\n", name, role, hash)
	added := "people:\n" + indented([]byte("people:\n"), element)
	if len(before) > 0 {
		if err := ParsePeople(path, before); err != nil {
			return err
		}
		added = indented(before, element)
	}
	if err := ParsePeople(path, append(bytes.Clone(before), added...)); err != nil {
		return fmt.Errorf("can't add a person: %w", err)
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("write people_file: %w", err)
	}
	_, err = out.WriteString(added)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write people_file: %w", err)
	}
	return nil
}

// indented returns an element as the elements of a file are written.
func indented(file []byte, element string) string {
	indent := 2
	var document yaml.Node
	if yaml.Unmarshal(file, &document) == nil && len(document.Content) > 0 {
		top := document.Content[0]
		if n := len(top.Content); n > 0 && len(top.Content[n-1].Content) > 0 {
			indent = max(0, top.Content[n-1].Content[0].Column-3) // the column of name, after "- "
		}
	}
	begin := ""
	if !bytes.HasSuffix(file, []byte("\n")) {
		begin = "\n"
	}
	lines := strings.TrimSuffix(element, "\n")
	space := strings.Repeat(" ", indent)
	return begin + space + strings.ReplaceAll(lines, "\n", "\n"+space) + "\n"
}
