// Package arch_test holds the repository to its own shape.
package arch_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	module = "github.com/rechargeflow/rechargeflow/"
	root   = "../.."
)

// TestTableOfContents keeps pipeline/doc.go true: every file of the package is in
// it once, and nothing else.
func TestTableOfContents(t *testing.T) {
	doc, err := os.ReadFile(root + "/pipeline/doc.go")
	require.NoError(t, err)
	var listed []string
	for _, match := range regexp.MustCompile(`(?m)^//\t(\w+\.go)\s`).FindAllStringSubmatch(string(doc), -1) {
		listed = append(listed, match[1])
	}
	var present []string
	files, err := filepath.Glob(root + "/pipeline/*.go")
	require.NoError(t, err)
	for _, file := range files {
		if name := filepath.Base(file); name != "doc.go" && !strings.HasSuffix(name, "_test.go") {
			present = append(present, name)
		}
	}
	assert.ElementsMatch(t, present, listed)
}

// TestPipelineIsReadInOneSitting keeps the story short: lines of code.
func TestPipelineIsReadInOneSitting(t *testing.T) {
	lines := 0
	files, err := filepath.Glob(root + "/pipeline/*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(content)) {
			if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "//") {
				lines++
			}
		}
	}
	assert.LessOrEqual(t, lines, 2000)
}

// TestImportsPointDown checks cmd -> pipeline -> pkg -> configs, schemas, and that
// no chain of imports is longer than four.
func TestImportsPointDown(t *testing.T) {
	imports := internalImports(t)
	for from, targets := range imports {
		for _, to := range targets {
			assert.GreaterOrEqual(t, layer(from), layer(to), "%s imports %s", from, to)
		}
	}
	for from := range imports {
		assert.LessOrEqual(t, chain(imports, from), 4, "imports that begin at %s", from)
	}
}

// layer is how high a package lies; it may import what lies as high or lower.
func layer(path string) int {
	for i, prefix := range []string{"configs", "schemas", "pkg/", "pipeline", "cmd/"} {
		if strings.HasPrefix(path, prefix) {
			return i
		}
	}
	return 0
}

// owner is the package that an internal one is a part of.
func owner(path string) string {
	outer, _, _ := strings.Cut(path, "/internal/")
	return outer
}

func chain(imports map[string][]string, from string) int {
	longest := 0
	for _, to := range imports[from] {
		longest = max(longest, 1+chain(imports, to))
	}
	return longest
}

// internalImports maps each package that ships to those of ours that it imports.
func internalImports(t *testing.T) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	for _, top := range []string{"cmd", "pipeline", "pkg", "schemas", "configs"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			folder, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil || strings.HasSuffix(folder, "test") {
				return err // kafkatest, smstest and the like do not ship
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, spec := range file.Imports {
				to, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module)
				if from, to := owner(folder), owner(to); ours && from != to {
					imports[from] = append(imports[from], to)
				}
			}
			return nil
		}))
	}
	return imports
}

// TestNothingOfThisMachine keeps absolute paths of a workplace out of the product.
func TestNothingOfThisMachine(t *testing.T) {
	bad := regexp.MustCompile(`"/(home|root|work|Users)/`)
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && (d.Name() == ".git" || d.Name() == ".cache" || d.Name() == ".bin") {
				return filepath.SkipDir
			}
			return err
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "arch_test.go") {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			assert.NotRegexp(t, bad, string(content), path)
		}
		return nil
	}))
}
