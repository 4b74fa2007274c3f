package config

import (
	"reflect"
	"strings"
	"time"
)

const (
	envPrefix      = "RECHARGEFLOW_"
	storeEnvPrefix = envPrefix + "STORE_"
	storePath      = "stores[]."
)

// Kind is the type of a key's value.
type Kind string

// The kinds of value.
const (
	KindText     Kind = "text"
	KindList     Kind = "list"
	KindBool     Kind = "bool"
	KindInteger  Kind = "integer"
	KindNumber   Kind = "number"
	KindDuration Kind = "duration"
	KindSize     Kind = "size"
)

// Key is one setting, as the tags of Config declare it.
type Key struct {
	Path     string   // gateway.body_limit, stores[].recharge.token
	Env      string   // RECHARGEFLOW_GATEWAY_BODY_LIMIT, RECHARGEFLOW_STORE_{NAME}_RECHARGE_TOKEN; empty: file only
	Kind     Kind     // type of the value
	Default  string   // as it would be written in the environment
	Doc      string   // description in one line
	Example  string   // as it would be written in the environment
	Secret   bool     // masked when shown; Env + "_FILE" may name a file with the value
	Required bool     // an empty value is a fault
	Roles    []string // the roles that use the value; none: any
	Restart  bool     // a process takes a change up at its next start
	OneOf    []string // the values allowed, if only some are
	Min, Max string   // bounds, as Default is written
	Ask      string   // AskRequired or AskOptional if `rechargeflow init` asks for the value
	AskIf    string   // the key that must be set for it, or key=value; empty: always

	check  string
	reload bool // a key outside stores needs no restart
}

// The values of Key.Ask; empty for a key that is not asked for.
const (
	AskRequired = "required"
	AskOptional = "optional" // may be empty, or keep its default
)

// Allows reports whether a text, as it would be written in the environment, has the form that Expected describes.
func (k Key) Allows(text string) bool {
	_, ok := k.parse(text)
	return ok
}

// EnvOf returns the environment variable of the key for a store.
func (k Key) EnvOf(store string) string { return strings.ReplaceAll(k.Env, "{NAME}", envName(store)) }

// Of returns the path of the key in a store, as faults name it: stores[acme].recharge.token.
func (k Key) Of(store string) string {
	return strings.Replace(k.Path, storePath, "stores["+store+"].", 1)
}

// Keys returns every key in the order of the declaration, those of a store last.
func Keys() []Key {
	keys := rootKeys()
	for _, k := range storeKeys() {
		k.Path = storePath + k.Path
		if k.Env != "" {
			k.Env = storeEnvPrefix + "{NAME}_" + k.Env
		}
		keys = append(keys, k)
	}
	return keys
}

// rootKeys returns the keys outside stores, with full paths and environment names.
func rootKeys() []Key {
	keys := walk(reflect.TypeFor[Config](), "")
	for i := range keys {
		keys[i].Env, keys[i].Restart = envPrefix+keys[i].Env, !keys[i].reload
	}
	return keys
}

// storeKeys returns the keys of one store; paths and environment names are relative to it.
// The name has no variable, because the variables of a store contain it.
func storeKeys() []Key {
	keys := walk(reflect.TypeFor[Store](), "")
	keys[0].Env = ""
	return keys
}

// walk lists the keys that the fields of t declare.
func walk(t reflect.Type, prefix string) []Key {
	var keys []Key
	for i := range t.NumField() {
		field := t.Field(i)
		path := prefix + field.Tag.Get("mapstructure")
		switch {
		case isNoKey(field):
		case field.Type.Kind() == reflect.Struct:
			keys = append(keys, walk(field.Type, path+".")...)
		default:
			keys = append(keys, declared(field, path))
		}
	}
	return keys
}

// isNoKey reports whether a field of a struct with keys is none: stores have keys of their own.
func isNoKey(field reflect.StructField) bool {
	return field.Type == reflect.TypeFor[[]Store]() || field.Tag.Get("mapstructure") == "-"
}

func declared(field reflect.StructField, path string) Key {
	tag := field.Tag.Get
	k := Key{
		Path: path, Env: envName(path), Kind: kindOf(field.Type),
		Default: tag("default"), Doc: tag("doc"), Example: tag("example"),
		Secret:   field.Type == reflect.TypeFor[Secret]() || field.Type == reflect.TypeFor[[]Secret](),
		Required: tag("required") == "true",
		Min:      tag("min"), Max: tag("max"), Ask: tag("ask"), AskIf: tag("askif"), check: tag("check"), reload: tag("reload") == "true",
	}
	if values, ok := field.Tag.Lookup("oneof"); ok {
		k.OneOf = strings.Split(values, ",")
	}
	if roles, ok := field.Tag.Lookup("role"); ok {
		k.Roles = strings.Split(roles, ",")
	}
	return k
}

func kindOf(t reflect.Type) Kind {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return KindDuration
	case t == reflect.TypeFor[Size]():
		return KindSize
	case t.Kind() == reflect.Bool:
		return KindBool
	case t.Kind() == reflect.Int:
		return KindInteger
	case t.Kind() == reflect.Float64:
		return KindNumber
	case t.Kind() == reflect.Slice:
		return KindList
	default:
		return KindText
	}
}

// envName converts a key path or a store name to a part of an environment variable.
func envName(path string) string {
	return strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(path))
}
