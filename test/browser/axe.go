package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// violation is what axe-core found.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		Target  []any  `json:"target"`
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// Axe returns axe-core's source, "" if it was not fetched (make axe).
func (b *Browser) Axe() string {
	source, err := os.ReadFile(filepath.Join(b.cache, "axe", "axe.min.js"))
	if err != nil {
		return ""
	}
	return string(source)
}

// Violations returns what axe-core finds in the page: all rules for WCAG 2.2 A and AA, and its best practices.
func (tab *Tab) Violations(axe string) []string {
	tab.t.Helper()
	if !Value[bool](tab, "Boolean(window.axe)") {
		Value[bool](tab, axe+"; true")
	}
	found := Value[[]violation](tab, `axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations)`)
	var all []string
	for _, v := range found {
		for _, node := range v.Nodes {
			all = append(all, fmt.Sprintf("%s: %s %v\n%s\n%s", v.ID, v.Help, node.Target, node.HTML, strings.TrimSpace(node.Summary)))
		}
	}
	return all
}
