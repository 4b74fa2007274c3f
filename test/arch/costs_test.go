package arch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// TestWhatANewDriverOrDestinationTouches counts the files that name an SMS driver and a destination outside their own: those
// that another one has to change. CONTRIBUTING.md lists them.
func TestWhatANewDriverOrDestinationTouches(t *testing.T) {
	for name, own := range map[string]string{
		`SMSWebhook|/sms/webhook"`: `^pkg/sms/webhook/`, `SMSTwilio|/sms/twilio"`: `^pkg/sms/twilio/`, `SMSTelnyx|/sms/telnyx"`: `^pkg/sms/telnyx/`,
		`SMSKlaviyo|/sms/klaviyo"`: `^pkg/sms/klaviyo/`, `SMSPostscript|/sms/postscript"`: `^pkg/sms/postscript/`,
		`SMSAttentive|/sms/attentive"`: `^pkg/sms/attentive/`,
	} {
		driver := filesThatName(t, name, own)
		assert.ElementsMatch(t, []string{"pkg/config/sms.go", "app/providers.go"}, driver)
		assert.LessOrEqual(t, len(driver), 3)
	}

	destination := filesThatName(t, `(?i:bloomreach)|^((Role|New)?Tracking|Tracker)$`, `^(pkg/bloomreach/|pipeline/tracking\w*\.go|app/preview\.go|cmd/rechargeflow/internal/tracking/)`)
	destination = append(destination, "pipeline/doc.go") // whose map names its handler
	assert.ElementsMatch(t, []string{
		"pkg/config/store.go", "app/stores.go", "pkg/topology/topology.go", "pipeline/pipeline.go", "pipeline/doc.go",
	}, destination)
	assert.LessOrEqual(t, len(destination), 5)
}

// TestWhatANewFlowTouches: a flow whose happening is detected already needs its constant and its row in the table, and no other Go
// file that ships. No file outside the table names a flow by its constant. As text only pkg/subscriber may have a flow's key, where it
// is part of a fact id that must never change, or the status of a fact.
func TestWhatANewFlowTouches(t *testing.T) {
	const table = `^pkg/flow/rules\.go$`
	assert.Empty(t, filesThatName(t, `^(`+strings.Join(flowConstants(t), "|")+`)$`, table))

	var keys []string
	for _, key := range flow.Keys() {
		keys = append(keys, regexp.QuoteMeta(string(key)))
	}
	literals := filesThatName(t, `^"(`+strings.Join(keys, "|")+`)"$`, table)
	assert.ElementsMatch(t, []string{"pkg/subscriber/charges.go", "pkg/subscriber/facts.go", "pkg/subscriber/triggers.go"}, literals)
}

// flowConstants are the names of the constants of type Key in the table of flows.
func flowConstants(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "pkg/flow/rules.go"), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok {
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Key" {
				names = append(names, spec.Names[0].Name)
			}
		}
		return true
	})
	require.Len(t, names, len(flow.Keys()))
	return names
}

// filesThatName lists the files that ship with an identifier, an import or a whole text like name, but for those with a path like own.
func filesThatName(t *testing.T, name, own string) (paths []string) {
	t.Helper()
	names, owns := regexp.MustCompile(name), regexp.MustCompile(own)
	for _, top := range []string{"cmd", "app", "console", "pipeline", "pkg", "schemas", "configs"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			path, err = filepath.Rel(root, path)
			if err != nil || owns.MatchString(path) || strings.HasSuffix(filepath.Dir(path), "test") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			found := false
			ast.Inspect(file, func(node ast.Node) bool {
				switch n := node.(type) {
				case *ast.Ident:
					found = found || names.MatchString(n.Name)
				case *ast.ImportSpec:
					found = found || names.MatchString(n.Path.Value)
				case *ast.BasicLit:
					found = found || names.FindString(n.Value) == n.Value
				}
				return !found
			})
			if found {
				paths = append(paths, path)
			}
			return nil
		}))
	}
	return paths
}
