package jsonread

import (
	"encoding"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// plans has the plan of each type that a Decoder reads. A type may contain itself.
type plans map[reflect.Type]*plan

func (p plans) of(t reflect.Type) *plan {
	if known, ok := p[t]; ok {
		return known
	}
	made := &plan{}
	p[t] = made
	switch pointer := reflect.PointerTo(t); {
	case t.Kind() == reflect.Pointer:
		made.read = p.of(t.Elem()).readPointer
	case pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) && t.Name() != "":
		made.read = readByMethod
	case pointer.Implements(reflect.TypeFor[json.Unmarshaler]()), pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()),
		t == reflect.TypeFor[json.Number]():
		made.read = readAny
	default:
		made.read = p.ofKind(t)
	}
	return made
}

// ofKind returns how a type without methods is read. Types that no row and no body has are left to json.Unmarshal.
func (p plans) ofKind(t reflect.Type) func(*Scanner, reflect.Value) {
	switch t.Kind() {
	case reflect.Bool:
		return readBool
	case reflect.Int:
		return readInt
	case reflect.String:
		return readString
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return p.of(t.Elem()).readSlice
		}
	case reflect.Map:
		if p.ofKey(t.Key()) {
			return p.of(t.Elem()).readMap
		}
	case reflect.Struct:
		if f := (fields{}); f.add(p, t, nil) {
			return f.read
		}
	}
	return readAny
}

// ofKey reports whether keys of a type are texts as they are.
func (p plans) ofKey(t reflect.Type) bool {
	return t.Kind() == reflect.String && !reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// add adds the fields of a struct and of those that it embeds. It returns false if they are not all named by a tag in lower case, or if
// two have the same name.
func (f fields) add(p plans, t reflect.Type, outer []int) bool {
	for i := range t.NumField() {
		of, index := t.Field(i), append(slices.Clip(outer), i)
		usual := true
		switch tag := of.Tag.Get("json"); {
		case of.Anonymous && tag == "":
			usual = of.Type.Kind() == reflect.Struct && f.add(p, of.Type, index)
		case of.IsExported() && tag != "-":
			usual = f.addField(p.of(of.Type), tag, index)
		}
		if !usual {
			return false
		}
	}
	return true
}

func (f fields) addField(p *plan, tag string, index []int) bool {
	name, _, _ := strings.Cut(tag, ",")
	if _, twice := f[name]; twice || !regexp.MustCompile(`^[a-z0-9_]+(,omitempty|,omitzero)*$`).MatchString(tag) || len(f) == 64 {
		return false
	}
	f[name] = field{p, index, 1 << len(f)}
	return true
}
