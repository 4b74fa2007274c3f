package subscriber_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// A state is equal to its copy, and to none in which any field differs: one that is added later and not compared fails here.
func TestEqualComparesEveryField(t *testing.T) {
	var customer, otherCustomer subscriber.CustomerState
	eachDifference(t, &customer, &otherCustomer, func(path string) {
		assert.False(t, customer.Equal(&otherCustomer), path)
		assert.False(t, otherCustomer.Equal(&customer), path)
	}, func() { assert.True(t, customer.Equal(&otherCustomer)) })

	var subscription, otherSubscription subscriber.SubscriptionState
	eachDifference(t, &subscription, &otherSubscription, func(path string) {
		assert.False(t, subscription.Equal(&otherSubscription), path)
		assert.False(t, otherSubscription.Equal(&subscription), path)
	}, func() { assert.True(t, subscription.Equal(&otherSubscription)) })
}

// eachDifference sets each field of one of two structs, each field of what they point to, and each member of their maps. In
// between it fills in both alike.
func eachDifference[T any](t *testing.T, one, other *T, differ func(path string), same func()) {
	t.Helper()
	same()
	for _, set := range setters(t, reflect.TypeFor[T](), "") {
		set.on(reflect.ValueOf(other).Elem())
		require.False(t, reflect.DeepEqual(one, other), set.path)
		differ(set.path)
		set.on(reflect.ValueOf(one).Elem())
		require.True(t, reflect.DeepEqual(one, other), set.path)
		same()
	}
}

type setter struct {
	path string
	on   func(reflect.Value)
}

// setters returns a setter of each field of a struct.
func setters(t *testing.T, of reflect.Type, path string) (all []setter) {
	t.Helper()
	for i := range of.NumField() {
		field := func(v reflect.Value) reflect.Value { return v.Field(i) }
		for _, set := range fieldSetters(t, of.Field(i).Type, path+"."+of.Field(i).Name) {
			all = append(all, setter{set.path, func(v reflect.Value) { set.on(field(v)) }})
		}
	}
	return all
}

func fieldSetters(t *testing.T, of reflect.Type, path string) []setter {
	t.Helper()
	value := reflect.New(of).Elem()
	switch {
	case of == reflect.TypeFor[time.Time]():
		value.Set(reflect.ValueOf(start()))
	case of.Kind() == reflect.String:
		value.SetString("x")
	case of.Kind() == reflect.Int:
		value.SetInt(1)
	case of.Kind() == reflect.Bool:
		value.SetBool(true)
	case of.Kind() == reflect.Struct:
		return setters(t, of, path)
	case of.Kind() == reflect.Pointer:
		all := []setter{{path, func(v reflect.Value) { v.Set(reflect.New(of.Elem())) }}}
		for _, set := range setters(t, of.Elem(), path) {
			all = append(all, setter{set.path, func(v reflect.Value) { set.on(v.Elem()) }})
		}
		return all
	case of.Kind() == reflect.Map:
		return memberSetters(t, of, path)
	default:
		require.Fail(t, "no value for a field", path)
	}
	return []setter{{path, func(v reflect.Value) { v.Set(value) }}}
}

// memberSetters returns a setter that adds a member to a map, and those that change it.
func memberSetters(t *testing.T, of reflect.Type, path string) []setter {
	t.Helper()
	key := reflect.New(of.Key()).Elem()
	key.SetString("x")
	all := []setter{{path, func(v reflect.Value) {
		v.Set(reflect.MakeMap(of))
		v.SetMapIndex(key, reflect.Zero(of.Elem()))
	}}}
	for _, set := range fieldSetters(t, of.Elem(), path+"[x]") {
		all = append(all, setter{set.path, func(v reflect.Value) {
			member := reflect.New(of.Elem()).Elem()
			member.Set(v.MapIndex(key))
			set.on(member)
			v.SetMapIndex(key, member)
		}})
	}
	return all
}
