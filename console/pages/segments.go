package pages

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/httplimit"
	"github.com/rechargeflow/rechargeflow/pkg/segment"
)

// segmentsPage is all segments, and one that is being built.
type segmentsPage struct {
	Segments         []service.Segment
	Flows            []flow.Key
	Form             string
	Name, Conditions string
	Counts           *service.SegmentCounts
	CountFaults      []service.Fault
	Faults           []service.Fault
	Push             service.Push
}

// segmentsOf reads the page of a store, with what is in the form.
func (p *Pages) segmentsOf(c echo.Context) (segmentsPage, error) {
	ctx, store := c.Request().Context(), c.Param("store")
	own := segmentsPage{Flows: flow.Keys(), Form: segment.Form, Name: text(c, "name"), Conditions: text(c, "conditions")}
	if c.QueryParam("part") == "count" {
		return own, nil // the rest is not shown
	}
	var err error
	if own.Segments, err = p.service.Segments(ctx, store); err != nil {
		return own, err
	}
	own.Push, err = p.service.LastPush(ctx, store)
	return own, err
}

func (p *Pages) segments(c echo.Context) error {
	own, err := p.segmentsOf(c)
	if err != nil {
		return err
	}
	return p.show(c, "segments.html", "Segments", own)
}

// countSegment says how many customers the typed conditions hold for.
func (p *Pages) countSegment(c echo.Context) error {
	own, err := p.segmentsOf(c)
	if err != nil {
		return err
	}
	if own.Conditions != "" {
		counts, err := p.service.CountSegments(c.Request().Context(), c.Param("store"), own.Conditions)
		own.CountFaults = faults(err)
		if err != nil && own.CountFaults == nil {
			return err
		}
		if err == nil {
			own.Counts = &counts
		}
	}
	return p.show(c, "segments.html", "Segments", own)
}

// saveSegment adds a condition to the form or, if the form says so, saves the segment.
func (p *Pages) saveSegment(c echo.Context) error {
	own, err := p.segmentsOf(c)
	if err != nil {
		return err
	}
	if join := c.FormValue("do"); join == "and" || join == "or" {
		own.Conditions = with(own.Conditions, join, condition(c))
		return p.show(c, "segments.html", "Segments", own)
	}
	if who := person(c); !who.May(access.Editor) {
		return fmt.Errorf("%w: this needs the role %s", service.ErrForbidden, access.Editor)
	}
	saved, err := p.service.SaveSegment(c.Request().Context(), person(c).Name, c.Param("store"), service.SaveSegment{Name: own.Name, Conditions: own.Conditions})
	if own.Faults = faults(err); own.Faults != nil {
		return p.showStatus(c, http.StatusUnprocessableEntity, "segments.html", "Segments", own)
	}
	if err != nil {
		return err
	}
	return then(c, link(c.Param("store"), "segments", saved.Name), "saved")
}

// condition is the one that was chosen, such as: not clicked charge_failed in 30d.
func condition(c echo.Context) string {
	chosen := c.FormValue("what") + " " + c.FormValue("of")
	if within := text(c, "within"); within != "" {
		chosen += " in " + within + "d"
	}
	return chosen
}

// with joins a condition to others. What is joined by the other word is put into parentheses.
func with(conditions, join, another string) string {
	if conditions == "" {
		return another
	}
	other := map[string]string{"and": " or ", "or": " and "}[join]
	if strings.Contains(conditions, other) {
		conditions = "(" + conditions + ")"
	}
	return conditions + " " + join + " " + another
}

// segmentPage is one segment and its members.
type segmentPage struct {
	Segment      service.Segment
	Counts       *service.SegmentCounts
	Members      service.Members
	Next, Export string
	// Conditions are those of the form.
	Conditions string
	Faults     []service.Fault
	Conflict   bool
}

func (p *Pages) segment(c echo.Context) error { return p.showSegment(c, http.StatusOK, nil) }

// showSegment answers with the page of a segment; change adds to it.
func (p *Pages) showSegment(c echo.Context, status int, change func(*segmentPage)) error {
	ctx, store, name := c.Request().Context(), c.Param("store"), c.Param("segment")
	one, err := p.oneSegment(c, name)
	if err != nil {
		return err
	}
	own := segmentPage{Segment: one, Conditions: one.Conditions, Export: link(store, "segments", name, "export") + "?format=csv"}
	counts, err := p.service.CountSegments(ctx, store, name)
	if err != nil {
		return err
	}
	own.Counts = &counts
	own.Members, err = p.service.Members(ctx, store, name, service.MembersPage{After: c.QueryParam("cursor"), Limit: pageSize})
	if err != nil {
		return err
	}
	own.Next = older(c, own.Members.Next)
	if change != nil {
		change(&own)
	}
	return p.showStatus(c, status, "segment.html", "Segment "+name, own)
}

// replaceSegment gives a segment other conditions.
func (p *Pages) replaceSegment(c echo.Context) error {
	var wrong []service.Fault
	seen, typed := number(c, "version", &wrong), text(c, "conditions")
	err := error(&service.InvalidError{Faults: wrong})
	if len(wrong) == 0 {
		_, err = p.service.SaveSegment(c.Request().Context(), person(c).Name, c.Param("store"), service.SaveSegment{
			Name: c.Param("segment"), Conditions: typed, Replace: true, Version: &seen,
		})
	}
	wrong = faults(err)
	switch {
	case err == nil:
		return then(c, link(c.Param("store"), "segments", c.Param("segment")), "saved")
	case errors.Is(err, service.ErrConflict):
		return p.showSegment(c, http.StatusConflict, func(own *segmentPage) { own.Conditions, own.Conflict = typed, true })
	case wrong == nil:
		return err
	}
	return p.showSegment(c, http.StatusUnprocessableEntity, func(own *segmentPage) { own.Conditions, own.Faults = typed, wrong })
}

func (p *Pages) oneSegment(c echo.Context, name string) (service.Segment, error) {
	all, err := p.service.Segments(c.Request().Context(), c.Param("store"))
	if err != nil {
		return service.Segment{}, err
	}
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
	}
	return service.Segment{}, fmt.Errorf("%w: no segment has this name", service.ErrNotFound)
}

// exportSegment sends all members as a file.
func (p *Pages) exportSegment(c echo.Context) error {
	name := c.Param("segment")
	if _, err := p.oneSegment(c, name); err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set("Content-Type", "text/csv; charset=utf-8")
	header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+".csv"))
	patience := httplimit.NewPatience(c.Response(), service.ExportWithin)
	_, err := p.service.ExportSegment(c.Request().Context(), c.Param("store"), name, "csv", reveals(c), patience)
	err = errors.Join(err, patience.End())
	if err != nil && !c.Response().Committed {
		header.Del("Content-Disposition")
	}
	return err
}

// deleteSegment deletes a segment, after a question that says how many members it has.
func (p *Pages) deleteSegment(c echo.Context) error {
	ctx, store, name := c.Request().Context(), c.Param("store"), c.Param("segment")
	var wrong []service.Fault
	seen := number(c, "version", &wrong)
	if len(wrong) > 0 {
		return &service.InvalidError{Faults: wrong}
	}
	if c.FormValue("confirm") != "" {
		if err := p.service.DeleteSegment(ctx, person(c).Name, store, name, seen); err != nil {
			return err
		}
		return then(c, link(store, "segments"), "deleted")
	}
	counts, err := p.service.CountSegments(ctx, store, name)
	if err != nil {
		return err
	}
	members := 0
	for _, s := range counts.Segments {
		members += s.Members
	}
	return p.confirm(c, confirmation{
		Title: "Delete the segment " + name + "?", What: "It has " + plural(members, "member", "members") + " now.",
		Then:   "The next push sets the property at Bloomreach to false for those who had it.",
		Action: link(store, "segments", name, "delete"), Button: "Delete " + name, Count: members, Back: link(store, "segments", name),
		Fields: []field{{"version", strconv.Itoa(seen)}},
	})
}
