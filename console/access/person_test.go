package access_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/console/access"
)

func TestRoles(t *testing.T) {
	all := access.Roles()
	for i, has := range all {
		for j, needs := range all {
			assert.Equal(t, i >= j, access.Person{Role: has}.May(needs), "%s may what needs %s", has, needs)
		}
		assert.False(t, access.Person{Role: has}.May("admin"), "a role that does not exist")
		assert.False(t, access.Person{}.May(has))
		assert.False(t, access.Person{Role: "admin"}.May(has))
	}
	assert.False(t, access.Person{}.May(""))
	assert.Zero(t, access.Of(t.Context()), "nobody")
	ann := access.Person{Name: "ann", Role: access.Editor}
	assert.Equal(t, ann, access.Of(access.With(t.Context(), ann)))
	assert.True(t, access.InForce(access.With(t.Context(), ann)))
}
