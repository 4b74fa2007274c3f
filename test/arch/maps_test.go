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

// smallPackage is the number of files up to which a package needs no map.
const smallPackage = 3

// TestDocMaps checks that the package comment of every package with more than three files lists each of its files in a
// map, and nothing else. A map is a list of indented lines that begin with file names:
//
//	consumer.go, consumer_group.go  what they hold
func TestDocMaps(t *testing.T) {
	for dir, files := range packages(t) {
		doc := packageComment(t, dir)
		listed := filesIn(doc)
		if len(files) <= smallPackage && len(listed) == 0 {
			continue
		}
		assert.ElementsMatch(t, files, listed, "the map in the package comment of %s", dir)
	}
}

// TestArchitecturePage checks that docs/architecture.md names every directory that holds a Go package, and only directories
// that exist.
func TestArchitecturePage(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/architecture.md")
	require.NoError(t, err)
	table, _, _ := strings.Cut(string(page), "\n## Path of a webhook")
	var named []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+`) \\|").FindAllStringSubmatch(table, -1) {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			named = append(named, name[1])
			assert.DirExists(t, filepath.Join(root, name[1]), "docs/architecture.md names it")
		}
	}
	for dir := range packages(t) {
		assert.Contains(t, named, dir, "docs/architecture.md names every package")
	}
}

// filesIn returns the file names at the beginning of the indented lines of a package comment.
func filesIn(comment string) []string {
	var names []string
	for line := range strings.Lines(comment) {
		list, found := strings.CutPrefix(line, "\t")
		if !found {
			continue
		}
		names = append(names, leadingFiles(list)...)
	}
	return names
}

// leadingFiles returns the names of "a.go, b.go  what they hold".
func leadingFiles(line string) []string {
	var names []string
	for _, word := range strings.Fields(line) {
		name, more := strings.CutSuffix(word, ",")
		if !strings.HasSuffix(name, ".go") {
			break
		}
		if names = append(names, name); !more {
			break
		}
	}
	return names
}

// packageComment returns the package comment of a directory, from any of its files.
func packageComment(t *testing.T, dir string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	require.NoError(t, err)
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		require.NoError(t, err)
		if file.Doc != nil {
			return file.Doc.Text()
		}
	}
	t.Errorf("package %s has no package comment", dir)
	return ""
}

// packages maps the directory of each package to its files, doc.go left out. In a package of tests the test files count.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	code, tests := map[string][]string{}, map[string][]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{".git", ".cache", ".bin", "testdata"}, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		switch name := d.Name(); {
		case name == "doc_test.go", name == "main_test.go":
		case strings.HasSuffix(name, "_test.go"):
			tests[dir] = append(tests[dir], name)
		case name != "doc.go":
			code[dir] = append(code[dir], name)
		}
		return nil
	}))
	for dir, files := range tests {
		if _, also := code[dir]; !also && !exists(dir, "doc.go") {
			code[dir] = files
		}
	}
	return code
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(root, dir, name))
	return err == nil
}
