package nearest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/nearest"
)

func TestOf(t *testing.T) {
	known := []string{"gateway", "kafka", "stores", "store", "log"}
	for name, c := range map[string]struct {
		given string
		most  int
		want  string
	}{
		"the name itself":      {"kafka", 0, "kafka"},
		"one byte lacks":       {"gatway", 1, "gateway"},
		"one too many":         {"kafkaa", 1, "kafka"},
		"one replaced":         {"kavka", 1, "kafka"},
		"two are swapped":      {"kakfa", 2, "kafka"},
		"not near enough":      {"kakfa", 1, ""},
		"the nearest of two":   {"storess", 3, "stores"},
		"the first of equals":  {"storex", 1, "stores"},
		"nearer than a first":  {"stor", 2, "store"},
		"empty":                {"", 2, ""},
		"empty, far enough":    {"", 3, "log"},
		"of another length":    {"gateway.listen", 3, ""},
		"bytes, not letters":   {"l\u00f6g", 1, ""},
		"two bytes, one sound": {"l\u00f6g", 2, "log"},
		"no tolerance at all":  {"loq", -1, ""},
		"same length, all new": {"xyz", 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, nearest.Of(c.given, known, c.most))
		})
	}
	assert.Empty(t, nearest.Of("kafka", nil, 3))
}
