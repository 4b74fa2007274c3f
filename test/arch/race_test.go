package arch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPackagesWithoutRaceDetector checks that the packages that the Makefile tests without the race detector start no goroutine, nor do their
// tests.
func TestPackagesWithoutRaceDetector(t *testing.T) {
	makefile, err := os.ReadFile(root + "/Makefile")
	require.NoError(t, err)
	list := regexp.MustCompile(`(?m)^PURE := (.*)$`).FindSubmatch(makefile)
	require.NotNil(t, list)
	for _, dir := range strings.Fields(string(list[1])) {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, dir)
		for _, file := range files {
			assert.False(t, startsGoroutines(t, file), file)
		}
	}
}

// startsGoroutines reports whether a file has a go statement, or calls a method that starts goroutines: Parallel, Go.
func startsGoroutines(t *testing.T, path string) (starts bool) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			starts = true
		case *ast.CallExpr:
			if method, ok := n.Fun.(*ast.SelectorExpr); ok && (method.Sel.Name == "Parallel" || method.Sel.Name == "Go") {
				starts = true
			}
		}
		return true
	})
	return starts
}
