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

// point is a step that a process can end or stand still at.
type point struct {
	name string
	most int // how often it may have come before
	when occasion
}

// occasion is what a point needs to come at all.
type occasion int

const (
	anyTime    occasion = iota
	firstOwner          // of a changelog that is new
	noCopy              // of what is taken over
	muchToRead          // no copy, and a changelog of some size
	cutOff              // a connection that is cut at the wrong moment
)

// soon is how often a step may have come before that comes once for each partition that is taken over.
const soon = 3

// points are all steps of a transaction and of a takeover, in the order in which they come.
func points() []point {
	return []point{
		{name: "taking over", most: soon},
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
		{name: "outcome told", most: 100},
		{name: "outcome unclear", most: 1, when: cutOff},
	}
}

// elsewhere are steps of other things than transactions, at which handled_test.go ends sinks.
func elsewhere() []string { return []string{"handled"} }

// TestEveryStepIsAPoint reads the source: a step that is called there and is not in the list would never be tried.
func TestEveryStepIsAPoint(t *testing.T) {
	listed := elsewhere()
	for _, p := range points() {
		listed = append(listed, p.name)
	}
	var called []string
	for _, top := range []string{"cmd", "pipeline", "pkg"} {
		require.NoError(t, filepath.WalkDir(filepath.Join("../..", top), func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				called = append(called, stepsIn(t, path)...)
			}
			return err
		}))
	}
	assert.ElementsMatch(t, called, listed)
}

// stepsIn are the names that a file calls Step or step with. Each must stand there as it is.
func stepsIn(t *testing.T, path string) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		if method, ok := call.Fun.(*ast.SelectorExpr); ok && strings.EqualFold(method.Sel.Name, "step") {
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
