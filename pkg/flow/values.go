package flow

import (
	"fmt"
	"strings"
)

// Values returns the known values by the names that a text can use, as a text shows them. Lists are separated by commas.
func (v Variables) Values() map[string]string {
	values, bound := map[string]string{}, v.bindings()
	for _, name := range Names() {
		switch value := lookup(bound, name).(type) {
		case nil:
		case []string:
			values[name] = strings.Join(value, ", ")
		default:
			values[name] = fmt.Sprint(value)
		}
	}
	return values
}
