package faults_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// point is a step at which a process can be killed or frozen.
type point struct {
	name string
	most int // how many times it may have been passed before
	when condition
}

// condition is the condition for reaching a point.
type condition int

const (
	anyTime    condition = iota
	firstOwner           // of a changelog that is new
	noCopy               // of the state that is taken over
	muchToRead           // no copy, and a large changelog
	cutOff               // a connection that is cut at the wrong moment
)

// soon is how many times a step of each partition's takeover may have been passed before.
const soon = 3

// points are all steps of a transaction and of a takeover, in their order.
func points() []point {
	return []point{
		{name: "taking over", most: soon},
		{name: "producer id initialized", most: soon},
		{name: "hanging transaction added", most: soon},
		{name: "hanging transaction ended", most: soon},
		{name: "predecessor fenced", most: soon},
		{name: "copy removed", most: soon, when: noCopy},
		{name: "copy chosen", most: soon},
		{name: "changelog half read", most: 1, when: muchToRead},
		{name: "changelog read", most: soon},
		{name: "origin written", most: soon, when: firstOwner},
		{name: "copy marked", most: soon},
		{name: "caught up", most: soon},
		{name: "transformed", most: 100},
		{name: "partitions added", most: 100},
		{name: "offsets added", most: 100},
		{name: "outputs written", most: 100},
		{name: "offsets written", most: 100},
		{name: "transaction ended", most: 100},
		{name: "rows applied", most: 100},
		{name: "outcome reported", most: 100},
		{name: "outcome unknown", most: 1, when: cutOff},
	}
}

// otherSteps are not steps of transactions: handled_test.go kills the tracking sink and the sms role there, callbacks_test.go the gateway, TestKilled of
// console/readmodel the console.
func otherSteps() []string {
	return []string{
		"handled", "text due", "text answered", "receipt written", "callback verified", "callback stored",
		"read model rows written", "read model offsets written", "read model committed",
	}
}

// TestEveryFaultPointIsListed reads the source: a fault point that is not in the list would never be tested.
func TestEveryFaultPointIsListed(t *testing.T) {
	listed := otherSteps()
	for _, p := range points() {
		listed = append(listed, p.name)
	}
	var called []string
	for _, top := range []string{"cmd", "pipeline", "pkg", "console"} {
		require.NoError(t, filepath.WalkDir(filepath.Join("../..", top), func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				called = append(called, stepsIn(t, path)...)
			}
			return err
		}))
	}
	assert.ElementsMatch(t, called, listed)
}

// stepsIn returns the names that a file calls FaultPoint or faultPoint with. Each must be a literal.
func stepsIn(t *testing.T, path string) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		if method, ok := call.Fun.(*ast.SelectorExpr); ok && strings.EqualFold(method.Sel.Name, "faultpoint") {
			literal, ok := call.Args[0].(*ast.BasicLit)
			require.Truef(t, ok, "%s: a step's name must be written where it is called", path)
			name, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			names = append(names, name)
		}
		return true
	})
	return names
}
