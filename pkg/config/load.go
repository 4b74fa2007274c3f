package config

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/viper"
)

// Loaded is a configuration with the origin of each value.
type Loaded struct {
	Config Config
	Path   string // the file read; empty when there was none
	// Warnings are values that are valid and probably not intended. They have no secret.
	Warnings []Fault

	rows    []row
	files   files
	environ []string
	roles   []string
	former  []string // stores of the configurations before this one, see Reload
}

// Roles returns the names of the roles, for Load.
func Roles() []string {
	return []string{"gateway", "transformer", "tracking", "sms", "links", "console"}
}

// Load reads the file at path (none when path is empty) and then environ, entries as os.Environ gives
// them. A key's value is the environment's, else the file's, else its default.
//
// The error is a *Faults with all mistakes: unknown keys and variables, wrong values, and broken
// rules across keys. It has no secret. What could be read is returned with it.
//
// For a process that runs roles, at least one store, and what the roles need of each store, must be given too. A role needs
// only its own secrets.
func Load(path string, environ []string, roles ...string) (Loaded, error) {
	return load(path, environ, roles, nil)
}

// load is Load with the stores whose variables are no fault even if the file does not have them.
func load(path string, environ, roles, former []string) (Loaded, error) {
	l := loader{roles: roles, faults: &Faults{}, warnings: &Faults{}, files: &files{}, root: newScope("", "configuration", rootKeys())}
	if path != "" {
		l.root.at = path
		l.readFile(path)
	}
	e := newEnvironment(l.faults, l.files, l.root, l.stores)
	e.former = former
	e.read(environ)

	loaded, err := l.resolve()
	if err != nil {
		return Loaded{}, err
	}
	loaded.Path, loaded.files = path, *l.files
	loaded.environ, loaded.roles, loaded.former = environ, roles, former
	l.checkRules(loaded.Config)
	l.checkStores(path)
	loaded.Warnings = l.warnings.List
	if len(l.faults.List) > 0 {
		return loaded, l.faults
	}
	return loaded, nil
}

type loader struct {
	roles    []string // that the process runs
	faults   *Faults
	warnings *Faults
	files    *files
	root     *scope
	stores   []*scope
}

func (l *loader) readFile(path string) {
	content, err := l.files.read(path)
	if err != nil {
		l.faults.add(path, "", "can't be read: %s", withoutPath(err))
		l.root.distrusted["stores"] = true
		return
	}
	f := file{name: path, faults: l.faults, root: l.root}
	f.read(content)
	l.stores = f.stores
}

// resolve merges the layers and fills the structs. An error means a wrong declaration, not a wrong configuration.
func (l *loader) resolve() (Loaded, error) {
	var loaded Loaded
	rows, err := l.fill(l.root, &loaded.Config)
	if err != nil {
		return Loaded{}, err
	}
	loaded.rows = rows
	k := &loaded.Config.Kafka
	for _, name := range []*string{&k.TLS.CAFile, &k.TLS.CertFile, &k.TLS.KeyFile, &k.SASL.TokenFile, &loaded.Config.Console.PeopleFile} {
		*name = besides(l.root.at, *name)
	}
	k.SASL.PasswordFile = l.root.env[passwordKey].file
	for _, s := range l.stores {
		var store Store
		s.adaptDefaults()
		rows, err := l.fill(s, &store)
		if err != nil {
			return Loaded{}, err
		}
		loaded.Config.Stores = append(loaded.Config.Stores, store)
		loaded.rows = append(loaded.rows, rows...)
	}
	return loaded, nil
}

func (l *loader) fill(s *scope, into any) ([]row, error) {
	v, err := s.layers()
	if err != nil {
		return nil, fmt.Errorf("merge configuration sources: %w", err)
	}
	if err := v.UnmarshalExact(into, viper.DecodeHook(nil)); err != nil {
		return nil, fmt.Errorf("decode configuration: %w", err)
	}
	return rowsOf(s, v), nil
}

// besides makes a relative file name relative to the directory of the configuration file.
func besides(configFile, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(configFile), name)
}
