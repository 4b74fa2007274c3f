package pages

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
)

// version is one version in a list, newest first.
type version struct {
	service.FlowVersion
	// Older means that restoring it changes something. Undo is what the button for it says.
	Older bool
	Undo  string
}

// versionsOf returns up to a number of versions.
func versionsOf(history []service.FlowVersion, most int) []version {
	var all []version
	for i, v := range history[:min(len(history), most)] {
		before, now := v.Definition(), history[0].Definition()
		before.Active = now.Active // restoring does not activate
		undo := fmt.Sprintf("Restore version %d", v.Version)
		if i == 1 {
			undo = "Undo the last change"
		}
		all = append(all, version{FlowVersion: v, Older: before != now, Undo: undo})
	}
	return all
}

// versionsPage compares versions.
type versionsPage struct {
	Flow     service.FlowInfo
	Versions []version
	From, To int
	Diff     *service.FlowDiff
	Lines    []diffLine
}

// diffLine is a line of a comparison. Kind is + for one that came, - for one that went, else "".
type diffLine struct{ Kind, Text string }

func (p *Pages) versions(c echo.Context) error {
	o, err := p.open(c)
	if err != nil {
		return err
	}
	history, err := p.service.FlowHistory(c.Request().Context(), o.store, o.key)
	if err != nil {
		return err
	}
	own := versionsPage{Flow: o.page.Flow, Versions: versionsOf(history, len(history))}
	own.From, own.To = versionParam(c, "from", o.page.Flow.Version-1), versionParam(c, "to", o.page.Flow.Version)
	if len(history) > 1 {
		diff, err := p.service.FlowDiff(c.Request().Context(), o.store, o.key, own.From, own.To)
		if err != nil {
			return err
		}
		own.Diff, own.Lines = &diff, linesOf(diff.Unified)
	}
	return p.show(c, "flow_versions.html", "Versions of "+o.page.Flow.Name, own)
}

func versionParam(c echo.Context, name string, otherwise int) int {
	n, err := strconv.Atoi(c.QueryParam(name))
	if err != nil {
		return otherwise
	}
	return n
}

// linesOf reads what `diff -u` prints, without its headers.
func linesOf(unified string) []diffLine {
	var lines []diffLine
	for line := range strings.SplitSeq(strings.TrimRight(unified, "\n"), "\n") {
		switch {
		case line == "", strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "@@"):
		case line[0] == '+' || line[0] == '-':
			lines = append(lines, diffLine{line[:1], line[1:]})
		default:
			lines = append(lines, diffLine{"", strings.TrimPrefix(line, " ")})
		}
	}
	return lines
}

// restore brings back a version.
func (p *Pages) restore(c echo.Context) error {
	o, err := p.open(c)
	if err != nil {
		return err
	}
	o.page.Draft, o.draft, o.page.Changed, o.page.More = draftOf(o.page.Flow), service.Draft{}, false, false
	o.page.Faults = nil
	seen, to := number(c, "version", &o.page.Faults), number(c, "to", &o.page.Faults)
	if len(o.page.Faults) > 0 {
		return p.refused(c, o, &service.InvalidError{Faults: o.page.Faults})
	}
	saved, err := p.service.RestoreFlow(c.Request().Context(), person(c).Name, o.store, o.key, service.RestoreFlow{Version: seen, To: to})
	if err != nil {
		return p.refused(c, o, err)
	}
	return then(c, link(o.store, "flows", o.key), done(saved, "restored"))
}
