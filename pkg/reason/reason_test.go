package reason_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// OfDeadLetters has each constant of its block.
func TestOfDeadLettersIsComplete(t *testing.T) {
	source, err := os.ReadFile("reason.go")
	require.NoError(t, err)
	_, block, ok := strings.Cut(string(source), "// Why a record becomes a dead letter.")
	require.True(t, ok)
	var want []reason.Reason
	for _, match := range regexp.MustCompile(`Reason = "(\w+)"`).FindAllStringSubmatch(block, -1) {
		want = append(want, reason.Reason(match[1]))
	}
	assert.ElementsMatch(t, want, reason.OfDeadLetters())
}
