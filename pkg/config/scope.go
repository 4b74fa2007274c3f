package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

// setting is a value and its origin.
type setting struct {
	value  any
	origin string // rechargeflow.yaml:12, environment RECHARGEFLOW_LOG_LEVEL
	file   string // that a secret was read from; empty: none
}

// scope holds the keys outside stores, or those of one store, with their values in the file and the environment.
type scope struct {
	label      string // prefix of a shown path: "" or "stores[acme]."
	at         string // where the scope begins, for missing keys
	keys       []Key
	file       map[string]setting
	env        map[string]setting
	distrusted map[string]bool // keys with a fault; no rule reports them again
}

func newScope(label, at string, keys []Key) *scope {
	return &scope{
		label: label, at: at, keys: keys,
		file: map[string]setting{}, env: map[string]setting{}, distrusted: map[string]bool{},
	}
}

func (s *scope) isRoot() bool { return s.label == "" }

func (s *scope) key(path string) (Key, bool) {
	i := slices.IndexFunc(s.keys, func(k Key) bool { return k.Path == path })
	if i < 0 {
		return Key{}, false
	}
	return s.keys[i], true
}

func (s *scope) isSection(path string) bool {
	return slices.ContainsFunc(s.keys, func(k Key) bool { return strings.HasPrefix(k.Path, path+".") })
}

// names lists the keys and sections directly below prefix.
func (s *scope) names(prefix string) []string {
	var names []string
	for _, k := range s.keys {
		rest, below := strings.CutPrefix(k.Path, prefix)
		name, _, _ := strings.Cut(rest, ".")
		if below && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if prefix == "" && s.isRoot() {
		names = append(names, "stores")
	}
	return names
}

// distrust marks the key at path, or all keys below it ("": all), as faulty.
func (s *scope) distrust(path string) {
	s.distrusted[path] = true
	for _, k := range s.keys {
		if path == "" || strings.HasPrefix(k.Path, path+".") {
			s.distrusted[k.Path] = true
		}
	}
}

// given returns the value of the environment, else of the file.
func (s *scope) given(path string) (setting, bool) {
	if given, ok := s.env[path]; ok {
		return given, true
	}
	given, ok := s.file[path]
	return given, ok
}

// origin returns where the effective value comes from.
func (s *scope) origin(path string) string {
	if given, ok := s.given(path); ok {
		return given.origin
	}
	return "default"
}

// where returns where to fix a key: where it is set, else where its scope begins.
func (s *scope) where(path string) string {
	if origin := s.origin(path); origin != "default" {
		return origin
	}
	return s.at
}

// layers passes Viper the defaults, the values of the file and those of the environment, in ascending order of precedence. All
// values have their final type.
func (s *scope) layers() (*viper.Viper, error) {
	v := viper.New()
	for _, k := range s.keys {
		value, ok := k.parse(k.Default)
		if !ok && k.Default != "" {
			return nil, fmt.Errorf("parse default of %s: expected %s", k.Path, k.Expected())
		}
		v.SetDefault(k.Path, value)
	}
	for path, given := range s.file {
		if err := v.MergeConfigMap(nested(path, given.value)); err != nil {
			return nil, fmt.Errorf("merge %s: %w", path, err)
		}
	}
	for path, given := range s.env {
		v.Set(path, given.value)
	}
	return v, nil
}

// nested converts a.b, x to {a: {b: x}}.
func nested(path string, value any) map[string]any {
	head, rest, below := strings.Cut(path, ".")
	if below {
		return map[string]any{head: nested(rest, value)}
	}
	return map[string]any{path: value}
}
