package initial

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// secret is a variable that must be set.
type secret struct {
	name, doc string
	inFile    bool // name + _FILE may name a file with the value
}

// secrets returns the variables that a configuration needs to be valid, in the order of their keys. They are those that are missing until none
// is, so a valid configuration is what remains. The error has its faults.
func secrets(content, store string) ([]secret, error) {
	path, err := aside(content)
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(path) }()
	keys := config.Keys()
	asked := map[string]bool{}
	for {
		var environ []string
		for _, k := range keys {
			if asked[k.Path] {
				environ = append(environ, k.EnvOf(store)+"=stand-in")
			}
		}
		_, err := config.Load(path, environ, config.Roles()...)
		var found *config.Faults
		if err == nil {
			return named(keys, asked, store), nil
		}
		if !errors.As(err, &found) {
			return nil, err
		}
		if !missing(found.List, keys, asked, store) {
			return nil, wrong(found.List)
		}
	}
}

// missing adds the keys of faults to those to set. It reports whether there is a new one.
func missing(faults []config.Fault, keys []config.Key, asked map[string]bool, store string) (found bool) {
	for _, fault := range faults {
		at := slices.IndexFunc(keys, func(k config.Key) bool { return k.Of(store) == fault.Key })
		if at < 0 || keys[at].Ask != "" || keys[at].Env == "" || asked[keys[at].Path] {
			continue
		}
		asked[keys[at].Path], found = true, true
	}
	return found
}

func named(keys []config.Key, asked map[string]bool, store string) (all []secret) {
	for _, k := range keys {
		if asked[k.Path] {
			all = append(all, secret{name: k.EnvOf(store), doc: k.Doc, inFile: k.Secret})
		}
	}
	return all
}

// wrong returns faults without the place in the file, which is not written.
func wrong(faults []config.Fault) error {
	var all []error
	for _, fault := range faults {
		fault.Where = ""
		all = append(all, errors.New(fault.String()))
	}
	return errors.Join(all...)
}

// aside writes content to a temporary file.
func aside(content string) (string, error) {
	file, err := os.CreateTemp("", "rechargeflow-init-*.yaml")
	if err != nil {
		return "", fmt.Errorf("check configuration: %w", err)
	}
	_, err = file.WriteString(content)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("check configuration: %w", err), os.Remove(file.Name()))
	}
	return file.Name(), nil
}
