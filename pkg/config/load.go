package config

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/viper"
)

// Loaded is a configuration and where each of its values comes from.
type Loaded struct {
	Config Config
	Path   string // the file read; empty when there was none

	rows []row
}

// Need is what a command asks of a configuration beyond being valid.
type Need int

// NeedStores asks for at least one store.
const NeedStores Need = iota + 1

// Load reads the file at path (none when path is empty) and then environ, entries as os.Environ gives
// them. A key's value is the environment's, else the file's, else its default.
//
// The error is a *Faults with everything that is wrong: unknown keys and variables, wrong values, and
// rules across keys. No secret is in it. What could be read all the same is returned beside it.
func Load(path string, environ []string, needs ...Need) (Loaded, error) {
	l := loader{faults: &Faults{}, root: newScope("", "configuration", rootKeys())}
	if path != "" {
		l.root.at = path
		l.readFile(path)
	}
	newEnvironment(l.faults, l.root, l.stores).read(environ)

	loaded, err := l.resolve()
	if err != nil {
		return Loaded{}, err
	}
	loaded.Path = path
	l.checkRules(loaded.Config)
	for _, need := range needs {
		l.checkNeed(need, path, loaded.Config)
	}
	if len(l.faults.List) > 0 {
		return loaded, l.faults
	}
	return loaded, nil
}

type loader struct {
	faults *Faults
	root   *scope
	stores []*scope
}

func (l *loader) readFile(path string) {
	content, err := os.ReadFile(path)
	if err != nil {
		l.faults.add(path, "", "can't be read: %s", withoutPath(err))
		l.root.distrusted["stores"] = true
		return
	}
	f := file{name: path, faults: l.faults, root: l.root}
	f.read(content)
	l.stores = f.stores
}

// resolve lays the layers over each other and fills the structs. An error is a mistake in the
// declaration, not in the configuration.
func (l *loader) resolve() (Loaded, error) {
	var loaded Loaded
	rows, err := l.fill(l.root, &loaded.Config)
	if err != nil {
		return Loaded{}, err
	}
	loaded.rows = rows
	files := &loaded.Config.Kafka.TLS
	for _, name := range []*string{&files.CAFile, &files.CertFile, &files.KeyFile} {
		*name = besides(l.root.at, *name)
	}
	for _, s := range l.stores {
		var store Store
		rows, err := l.fill(s, &store)
		if err != nil {
			return Loaded{}, err
		}
		store.SMS.FlowsFile = besides(l.root.at, store.SMS.FlowsFile)
		loaded.Config.Stores = append(loaded.Config.Stores, store)
		loaded.rows = append(loaded.rows, rows...)
	}
	return loaded, nil
}

func (l *loader) fill(s *scope, into any) ([]row, error) {
	v, err := s.layers()
	if err != nil {
		return nil, fmt.Errorf("layer configuration: %w", err)
	}
	if err := v.UnmarshalExact(into, viper.DecodeHook(nil)); err != nil {
		return nil, fmt.Errorf("fill configuration: %w", err)
	}
	return rowsOf(s, v), nil
}

// besides takes a relative name as relative to the folder of the configuration file.
func besides(configFile, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(configFile), name)
}
