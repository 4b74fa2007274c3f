package pages

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

//go:embed templates
var templateFiles embed.FS

// parse returns the template of each page: its own file, with the layout and the parts that pages share.
func (p *Pages) parse() (map[string]*template.Template, error) {
	shared, err := template.New("shared").Funcs(p.functions()).ParseFS(templateFiles, "templates/layout.html", "templates/partials.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, name := range names {
		base, err := shared.Clone()
		if err != nil {
			return nil, err
		}
		// the preview and the list of versions are parts of several pages
		if pages[path.Base(name)], err = base.ParseFS(templateFiles, "templates/flow_parts.html", name); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// functions are those of the templates. None returns a type that html/template takes for safe.
func (p *Pages) functions() template.FuncMap {
	all := wordFunctions()
	for name, f := range (template.FuncMap{
		"asset":      p.assets.path,
		"path":       link,
		"letterPath": letterPath,
		"rfc":        func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"utc":        func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"zoned":      inZone,
		"plural":     plural,
		"percent":    func(part float64) string { return fmt.Sprintf("%.0f %%", math.Floor(100*part)) },
		"seconds":    seconds,
		"round":      func(rate float64) float64 { return math.Round(rate*100) / 100 },
		"money":      func(amount, currency string) amountOf { return amountOf{amount, currency} },
		"sum":        total,
		"join":       changes,
		"joined":     func(all []string) string { return strings.Join(all, ", ") },
		"json":       indented,
		"active":     func(is *bool) bool { return is != nil && *is },
		"insertion":  func(name string) string { return "{{ " + name + " }}" },
	}) {
		all[name] = f
	}
	return all
}

// link joins the parts of a path, escaped: link("acme", "") is /acme/.
func link(parts ...any) string {
	var out strings.Builder
	for _, part := range parts {
		out.WriteString("/" + url.PathEscape(fmt.Sprint(part)))
	}
	return out.String()
}

// letterPath is the path of the dead letter of a name, role/partition/offset.
func letterPath(name string) string {
	parts := []any{"deadletters"}
	for part := range strings.SplitSeq(name, "/") {
		parts = append(parts, part)
	}
	return link(parts...)
}

// zonedTime is a time with the customer's time zone. There is the time by their clock, "" where the zone is unknown.
type zonedTime struct {
	At          time.Time
	Zone, There string
}

func inZone(at time.Time, zone string) zonedTime {
	place, err := time.LoadLocation(zone)
	if err != nil || zone == "" || at.IsZero() {
		return zonedTime{At: at}
	}
	return zonedTime{At: at, Zone: zone, There: at.In(place).Format("15:04 MST")}
}

// amountOf is an amount of money.
type amountOf struct{ Amount, Currency string }

// plural returns a number with the word in its form.
func plural(count int, one, more string) string {
	if count == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", count, more)
}

// seconds is a duration as people say it.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d < time.Second:
		return "0 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

// total sums the numbers of a map.
func total(counts any) (sum int) {
	switch counts := counts.(type) {
	case map[flow.Key]int:
		for _, n := range counts {
			sum += n
		}
	case reasons:
		for _, n := range counts {
			sum += n
		}
	}
	return sum
}

// changes lists what differs between two versions.
func changes(all []string) string {
	if len(all) == 0 {
		return "nothing changed"
	}
	return strings.Join(all, ", ")
}

// indented is JSON for people.
func indented(value json.RawMessage) string {
	var out bytes.Buffer
	if err := json.Indent(&out, value, "", "  "); err != nil {
		return string(value)
	}
	return out.String()
}
