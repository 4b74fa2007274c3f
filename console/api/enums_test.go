package api_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

// The document lists all values that the API can answer where it has a closed list.
func TestEnums(t *testing.T) {
	file, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Enum []string `yaml:"enum"`
			} `yaml:"schemas"`
		} `yaml:"components"`
	}
	require.NoError(t, yaml.Unmarshal(file, &document))
	for name, want := range map[string][]string{
		"Reason":           constants(t, "../../pkg/reason", "Reason"),
		"DeadLetterReason": words(reason.OfDeadLetters()...),
		"TextStatus":       constants(t, "../../pkg/message", "Status"),
		"ConsentStatus":    words(consent.OptedIn, consent.OptedOut),
		"CustomerConsent":  {string(consent.OptedIn), string(consent.OptedOut), service.ConsentUnknown, service.ConsentNotRead},
		"FlowKey":          words(flow.Keys()...),
	} {
		assert.ElementsMatch(t, want, document.Components.Schemas[name].Enum, name)
	}
}

func words[T ~string](of ...T) (all []string) {
	for _, each := range of {
		all = append(all, string(each))
	}
	return all
}

// constants returns the values of the constants of a type, from the files of its package.
func constants(t *testing.T, dir, kind string) (all []string) {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`\w+ +`+kind+` = "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
			all = append(all, match[1])
		}
	}
	require.NotEmpty(t, all)
	return all
}
