package pipeline_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// TestBloomreachPage checks that docs/bloomreach.md names every attribute that an event of a golden case has, and no other.
func TestBloomreachPage(t *testing.T) {
	sent := attributesSent(t)
	page, err := os.ReadFile("../docs/bloomreach.md")
	require.NoError(t, err)
	_, common, _ := strings.Cut(string(page), "# What Bloomreach receives")
	common, _, _ = strings.Cut(common, "\n## ")
	for _, event := range []string{"subscription", "subscription_charge", "customer_change"} {
		_, section, found := strings.Cut(string(page), "\n## `"+event+"`\n")
		require.True(t, found, event)
		section, _, _ = strings.Cut(section, "\n## ")
		assert.Equal(t, slices.Sorted(maps.Keys(sent[event])), attributesNamed(common+section), event)
	}
}

// attributesNamed returns the names in the first column of a page's tables.
func attributesNamed(page string) []string {
	names := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(page, -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			names[strings.Trim(name, "`")] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// attributesSent returns the attributes of each event type in the golden cases.
func attributesSent(t *testing.T) map[string]map[string]bool {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	sent := map[string]map[string]bool{}
	for _, path := range files {
		archive, err := txtar.ParseFile(path)
		require.NoError(t, err)
		for _, file := range archive.Files {
			if file.Name == "bloomreach" {
				noteAttributes(t, sent, string(file.Data))
			}
		}
	}
	return sent
}

// noteAttributes reads commands: each is the command's name followed by a JSON object.
func noteAttributes(t *testing.T, sent map[string]map[string]bool, commands string) {
	t.Helper()
	rest := bufio.NewReader(strings.NewReader(commands))
	for {
		if _, err := rest.ReadString(' '); errors.Is(err, io.EOF) {
			return
		}
		var event struct {
			Type       string         `json:"event_type"`
			Properties map[string]any `json:"properties"`
		}
		decoder := json.NewDecoder(rest)
		require.NoError(t, decoder.Decode(&event))
		rest = bufio.NewReader(io.MultiReader(decoder.Buffered(), rest))
		if sent[event.Type] == nil {
			sent[event.Type] = map[string]bool{}
		}
		for name := range event.Properties {
			sent[event.Type][name] = true
		}
	}
}
