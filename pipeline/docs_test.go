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

// TestBloomreachPage checks that docs/tracking.md names every attribute that an event of a golden case has.
func TestBloomreachPage(t *testing.T) {
	sent := attributesSent(t)
	page, err := os.ReadFile("../docs/tracking.md")
	require.NoError(t, err)
	_, common, _ := strings.Cut(string(page), "# What Bloomreach receives")
	common, _, _ = strings.Cut(common, "\n## ")
	for _, event := range []string{"subscription", "subscription_charge", "customer_change"} {
		_, section, found := strings.Cut(string(page), "\n## `"+event+"`\n")
		require.True(t, found, event)
		section, _, _ = strings.Cut(section, "\n## ")
		assert.Subset(t, attributesNamed(common+section), slices.Sorted(maps.Keys(sent[event])), event)
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

// TestRecipes checks that each recipe of docs/tracking.md starts with an event that a golden case sends, with its setting if it needs one.
func TestRecipes(t *testing.T) {
	page, err := os.ReadFile("../docs/tracking.md")
	require.NoError(t, err)
	_, recipes, found := strings.Cut(string(page), "\n## Recipes\n")
	require.True(t, found)
	code, condition := regexp.MustCompile("`([^`]+)`"), regexp.MustCompile("`([a-z_]+)` equals `([a-z_]+)`")
	rows := regexp.MustCompile("(?m)^\\| ([^`|]+) \\| (`.+) \\| (.+) \\| (.+) \\|$").FindAllStringSubmatch(recipes, -1)
	require.Len(t, rows, 4)
	for _, row := range rows {
		conditions := condition.FindAllStringSubmatch(row[3], -1)
		require.NotEmpty(t, conditions, row[1])
		for _, event := range code.FindAllStringSubmatch(row[2], -1) {
			assert.True(t, slices.ContainsFunc(goldenEvents(t), func(e goldenEvent) bool {
				return e.Type == event[1] && e.isCase(conditions, row[4])
			}), "%s: %s", row[1], event[1])
		}
	}
}

// goldenEvent is an event that a golden case sends, and an extra that the case's store tracks.
type goldenEvent struct {
	Type       string         `json:"event_type"`
	Properties map[string]any `json:"properties"`
	extras     string
}

// isCase reports whether the event meets the conditions, and its store has the setting of a recipe.
func (e goldenEvent) isCase(conditions [][]string, setting string) bool {
	_, extra, needed := strings.Cut(strings.Trim(setting, "`]"), "extras: [")
	if needed != (e.extras != "") || needed && !strings.Contains(e.extras, extra) {
		return false
	}
	for _, c := range conditions {
		if e.Properties[c[1]] != c[2] {
			return false
		}
	}
	return true
}

// attributesSent returns the attributes of each event type in the golden cases.
func attributesSent(t *testing.T) map[string]map[string]bool {
	t.Helper()
	sent := map[string]map[string]bool{}
	for _, event := range goldenEvents(t) {
		if sent[event.Type] == nil {
			sent[event.Type] = map[string]bool{}
		}
		for name := range event.Properties {
			sent[event.Type][name] = true
		}
	}
	return sent
}

func goldenEvents(t *testing.T) (events []goldenEvent) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	extras := regexp.MustCompile("(?m)^extras: .*$")
	for _, path := range files {
		archive, err := txtar.ParseFile(path)
		require.NoError(t, err)
		tracked := ""
		for _, file := range archive.Files {
			switch file.Name {
			case "store.yaml":
				tracked = string(extras.Find(file.Data))
			case "bloomreach":
				for _, event := range commandsIn(t, string(file.Data)) {
					event.extras = tracked
					events = append(events, event)
				}
			}
		}
	}
	return events
}

// commandsIn reads commands: each is the command's name followed by a JSON object.
func commandsIn(t *testing.T, commands string) (events []goldenEvent) {
	t.Helper()
	rest := bufio.NewReader(strings.NewReader(commands))
	for {
		if _, err := rest.ReadString(' '); errors.Is(err, io.EOF) {
			return events
		}
		var event goldenEvent
		decoder := json.NewDecoder(rest)
		require.NoError(t, decoder.Decode(&event))
		rest = bufio.NewReader(io.MultiReader(decoder.Buffered(), rest))
		events = append(events, event)
	}
}
