package telemetrytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// CheckKeys returns an error for the first line of a log in JSON that is not an object, or in which an object has a key twice:
// of such a line readers see one value or the other.
func CheckKeys(log string) error {
	for line := range strings.Lines(log) {
		if err := checkLine(line); err != nil {
			return fmt.Errorf("log line %s: %w", strings.TrimSpace(line), err)
		}
	}
	return nil
}

func checkLine(line string) error {
	decoder := json.NewDecoder(strings.NewReader(line))
	first, err := decoder.Token()
	if err != nil || first != json.Delim('{') {
		return errors.New("is not a JSON object")
	}
	if err := checkObject(decoder); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("has more than one object")
	}
	return nil
}

// checkObject reads the rest of an object.
func checkObject(decoder *json.Decoder) error {
	keys := map[string]bool{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("read key: %w", err)
		}
		name := fmt.Sprint(key)
		if keys[name] {
			return fmt.Errorf("has the key %q twice", name)
		}
		keys[name] = true
		if err := checkValue(decoder); err != nil {
			return err
		}
	}
	_, err := decoder.Token()
	return err
}

// checkValue reads a value.
func checkValue(decoder *json.Decoder) error {
	value, err := decoder.Token()
	switch {
	case err != nil:
		return fmt.Errorf("read value: %w", err)
	case value == json.Delim('{'):
		return checkObject(decoder)
	case value != json.Delim('['):
		return nil
	}
	for decoder.More() {
		if err := checkValue(decoder); err != nil {
			return err
		}
	}
	_, err = decoder.Token()
	return err
}
