package config

import (
	"reflect"
	"slices"
)

// Change is a key that has other values in two configurations, or a store that only one of them has.
type Change struct {
	// Path names what changed, never its value: log.level, stores[acme].recharge.secrets, or stores[acme] for a whole store.
	Path  string
	Store string // "" for a key outside stores
	Kind  ChangeKind
	// Roles are the roles that use the key; none: any.
	Roles []string
	// Restart means that a process takes the change up at its next start.
	Restart bool
}

// ChangeKind is what happened to a key or a store.
type ChangeKind string

// The kinds of change. Only a whole store is added or removed: each key has a value.
const (
	Changed ChangeKind = "changed"
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
)

// String returns the path, and what happened to a store.
func (c Change) String() string {
	if c.Kind == Changed {
		return c.Path
	}
	return c.Path + " " + string(c.Kind)
}

// Difference lists what differs between two configurations: keys outside stores in the order of the declaration, then stores by name, in
// the order of before and then of after. The order of the stores makes no difference. A password that is read from the same file in both
// makes none, because it is read again for each connection.
func Difference(before, after Config) (changes []Change) {
	if file := before.Kafka.SASL.PasswordFile; file == after.Kafka.SASL.PasswordFile && file != "" {
		after.Kafka.SASL.Password = before.Kafka.SASL.Password
	}
	for _, k := range differing(rootKeys(), before, after) {
		changes = append(changes, Change{Path: k.Path, Kind: Changed, Roles: k.Roles, Restart: k.Restart})
	}
	for _, store := range before.Stores {
		now, found := after.Store(store.Name)
		if !found {
			changes = append(changes, whole(store.Name, Removed))
			continue
		}
		for _, k := range differing(storeKeys(), store, now) {
			k.Path = storePath + k.Path
			changes = append(changes, Change{Path: k.Of(store.Name), Store: store.Name, Kind: Changed, Roles: k.Roles, Restart: k.Restart})
		}
	}
	for _, store := range after.Stores {
		if _, found := before.Store(store.Name); !found {
			changes = append(changes, whole(store.Name, Added))
		}
	}
	return changes
}

func whole(store string, kind ChangeKind) Change {
	return Change{Path: "stores[" + store + "]", Store: store, Kind: kind}
}

// Store returns the store with a name.
func (c Config) Store(name string) (Store, bool) {
	i := slices.IndexFunc(c.Stores, func(s Store) bool { return s.Name == name })
	if i < 0 {
		return Store{}, false
	}
	return c.Stores[i], true
}

// TakeUp returns c with the values that next has for keys that need no restart.
func (c Config) TakeUp(next Config) Config {
	into, from := fieldsOf(reflect.ValueOf(&c).Elem(), ""), fieldsOf(reflect.ValueOf(&next).Elem(), "")
	for _, k := range rootKeys() {
		if !k.Restart {
			into[k.Path].Set(from[k.Path])
		}
	}
	c.Stores = next.Stores
	return c
}

// differing returns the keys whose values differ between two structs that declare them.
func differing[S any](keys []Key, before, after S) (differ []Key) {
	was, is := fieldsOf(reflect.ValueOf(before), ""), fieldsOf(reflect.ValueOf(after), "")
	for _, k := range keys {
		if !same(was[k.Path], is[k.Path]) {
			differ = append(differ, k)
		}
	}
	return differ
}

// same compares two values; a list that is nil is an empty one.
func same(a, b reflect.Value) bool {
	if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// fieldsOf returns the fields of a struct that are keys, by the path that walk gives them.
func fieldsOf(v reflect.Value, prefix string) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		path := prefix + v.Type().Field(i).Tag.Get("mapstructure")
		if v.Field(i).Kind() != reflect.Struct {
			fields[path] = v.Field(i)
			continue
		}
		for below, field := range fieldsOf(v.Field(i), path+".") {
			fields[below] = field
		}
	}
	return fields
}
