//go:build bench

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// report collects tables, prints them and keeps them as a dated file.
type report struct {
	text strings.Builder
}

func newReport(now time.Time) *report {
	r := &report{}
	fmt.Fprintf(&r.text, "# Benchmarks, %s\n\n", now.UTC().Format("2006-01-02 15:04"))
	fmt.Fprintf(&r.text, "Commit %s, %s, %d CPUs (%s), %s of memory. Load, product, broker and\ndestination share its CPUs; processes log warnings only. Figures are of this machine; compare them with the limits beside them.\n",
		commit(), runtime.Version(), runtime.NumCPU(), cpuModel(), memory())
	return r
}

// table adds one, with a note about what is in it.
func (r *report) table(title, note string, head []string, rows [][]string) {
	fmt.Fprintf(&r.text, "\n## %s\n\n%s\n\n| %s |\n|%s\n", title, note, strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, row := range rows {
		fmt.Fprintf(&r.text, "| %s |\n", strings.Join(row, " | "))
	}
}

// note adds a text in the place of a table.
func (r *report) note(title, text string) {
	fmt.Fprintf(&r.text, "\n## %s\n\n%s\n", title, text)
}

func (r *report) print(t *testing.T) {
	t.Helper()
	t.Log("\n" + r.text.String())
}

// keep prints and writes docs/bench/{date}.md; a later run of the day replaces it.
func (r *report) keep(t *testing.T, now time.Time) {
	t.Helper()
	r.print(t)
	path := filepath.Join("..", "..", "docs", "bench", now.UTC().Format(time.DateOnly)+".md")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
	require.NoError(t, os.WriteFile(path, []byte(r.text.String()), 0o600))
}

func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func cpuModel() string {
	content, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(content)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func memory() string {
	content, _ := os.ReadFile("/proc/meminfo")
	var kib int64
	if _, err := fmt.Sscanf(string(content), "MemTotal: %d kB", &kib); err != nil {
		return "unknown amount"
	}
	return fmt.Sprintf("%d GiB", kib>>20)
}

func perSecond(n int, took time.Duration) string {
	return thousands(int(float64(n) / took.Seconds()))
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }

func percent(part, whole float64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*part/whole)
}
