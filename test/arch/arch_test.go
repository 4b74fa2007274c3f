// Package arch_test holds the repository to its own shape.
//
//	arch_test.go    who imports whom, and how large packages and the pipeline may be
//	costs_test.go   which files a new driver or destination touches
//	maps_test.go    lists of files and packages are complete
//	race_test.go    which packages are tested without the race detector
package arch_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	module = "github.com/rechargeflow/rechargeflow/"
	root   = "../.."
)

// TestExpectationsShareNoCode keeps the expected result of a customer history independent of the product: the computation
// imports the generator alone, and that the names of topics and versions and the simulator.
func TestExpectationsShareNoCode(t *testing.T) {
	for directory, allowed := range map[string][]string{
		"test/histories/expected": {"test/histories"},
		"test/histories":          {"pkg/recharge", "pkg/recharge/rechargetest"},
	} {
		files, err := filepath.Glob(filepath.Join(root, directory, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			assert.Subset(t, allowed, ownImports(t, file), file)
		}
	}
}

// TestPipelineIsShort limits the lines of the story, comments included.
func TestPipelineIsShort(t *testing.T) {
	lines := 0
	files, err := filepath.Glob(root + "/pipeline/*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		lines += strings.Count(string(content), "\n")
	}
	assert.Less(t, lines, 1500)
}

// TestPackagesAreSmall limits the files of a package, tests left out.
func TestPackagesAreSmall(t *testing.T) {
	for dir, files := range packages(t) {
		if dir != "pkg/kafka" {
			assert.LessOrEqual(t, len(files), 25, dir)
		}
	}
}

// TestImportsPointDown checks cmd -> app -> pipeline, console -> pkg -> configs, schemas, that
// no chain of imports is longer than nine, and who reads the configuration.
func TestImportsPointDown(t *testing.T) {
	imports := internalImports(t)
	for from, targets := range imports {
		for _, to := range targets {
			assert.GreaterOrEqual(t, layer(from), layer(to), "%s imports %s", from, to)
			if to == "pkg/config" {
				assert.GreaterOrEqual(t, layer(from), layer("app"), "%s imports %s: settings are passed in", from, to)
			}
		}
	}
	for from := range imports {
		assert.LessOrEqual(t, chain(imports, from), 9, "imports that begin at %s", from)
	}
}

// layer is how high a package lies; it may import what lies as high or lower.
func layer(path string) int {
	for i, prefix := range []string{"configs", "schemas", "pkg/", "pipeline", "console", "app", "cmd/"} {
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
	for _, top := range []string{"cmd", "app", "console", "pipeline", "pkg", "schemas", "configs"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			directory, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil || strings.HasSuffix(directory, "test") {
				return err // kafkatest, smstest and the like do not ship
			}
			for _, to := range ownImports(t, path) {
				if from, to := owner(directory), owner(to); from != to {
					imports[from] = append(imports[from], to)
				}
			}
			return nil
		}))
	}
	return imports
}

// ownImports are the packages of this module that a file imports.
func ownImports(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	require.NoError(t, err)
	own := []string{}
	for _, spec := range file.Imports {
		if to, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module); ours {
			own = append(own, to)
		}
	}
	return own
}

// eachGoFile calls do with each Go file of the repository.
func eachGoFile(t *testing.T, do func(path string)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && slices.Contains([]string{".git", ".cache", ".bin"}, d.Name()) {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".go") {
			do(path)
		}
		return err
	}))
}

// TestNothingOfThisMachine keeps absolute paths of a workplace out of the product.
func TestNothingOfThisMachine(t *testing.T) {
	bad := regexp.MustCompile(`"/(home|root|work|Users)/`)
	eachGoFile(t, func(path string) {
		if strings.HasSuffix(path, "arch_test.go") {
			return
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.NotRegexp(t, bad, string(content), path)
	})
}
