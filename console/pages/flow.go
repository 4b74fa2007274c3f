package pages

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// flowPage is the page of a flow.
type flowPage struct {
	Flow  service.FlowInfo
	State badge
	// Short and Long are the names that the text can use: customer.first_name is the long one of first_name.
	Short, Long []service.Variable
	// Draft is what is in the form. Changed means that it is not saved, More that the details are open.
	Draft           draft
	Changed, More   bool
	Customer, Price string
	TestNumber      bool
	TestKey         string // of the next test: the form sent twice is one
	Preview         service.FlowPreview
	// Summary is the preview in a sentence, for those who hear it.
	Summary  string
	Versions []version
	Faults   []service.Fault
	Conflict bool
	Sent     *service.TestSent
}

// draft is a flow as it is in the form: numbers as they were typed.
type draft struct {
	Name, Text, Window, PerCharge string
	QuietHours, DailyCap          bool
}

func draftOf(f service.FlowInfo) draft {
	return draft{
		Name: f.Name, Text: f.Text, Window: strconv.FormatFloat(f.WindowSeconds, 'f', -1, 64), PerCharge: strconv.Itoa(f.PerCharge),
		QuietHours: f.QuietHours, DailyCap: f.DailyCap,
	}
}

// readDraft reads the form. A reader of the page who may not edit sends the text alone.
func readDraft(c echo.Context, f service.FlowInfo) (draft, service.Draft, []service.Fault) {
	d := draftOf(f)
	d.Text = text(c, "text")
	if !person(c).May(access.Editor) || c.FormValue("name") == "" {
		return d, service.Draft{Text: &d.Text}, nil
	}
	d.Name, d.Window, d.PerCharge = text(c, "name"), text(c, "window"), text(c, "per_charge")
	d.QuietHours, d.DailyCap = checked(c, "quiet_hours"), checked(c, "daily_cap")
	var wrong []service.Fault
	window, err := strconv.ParseFloat(d.Window, 64)
	if err != nil {
		wrong = append(wrong, service.Fault{Field: "window", Problem: "the seconds in which triggers become one text are not a number"})
	}
	perCharge, err := strconv.Atoi(d.PerCharge)
	if err != nil {
		wrong = append(wrong, service.Fault{Field: "per_charge", Problem: "the most texts about one charge are not a whole number"})
	}
	return d, service.Draft{
		Name: &d.Name, Text: &d.Text, QuietHours: &d.QuietHours, WindowSeconds: &window, PerCharge: &perCharge, DailyCap: &d.DailyCap,
	}, wrong
}

// opened is a flow that was read for a request, and what its form says.
type opened struct {
	key   flow.Key
	store string
	page  flowPage
	draft service.Draft
}

// open reads the flow of a request.
func (p *Pages) open(c echo.Context) (*opened, error) {
	o := &opened{key: flow.Key(c.Param("flow")), store: c.Param("store")}
	found, err := p.service.Flow(c.Request().Context(), o.store, o.key)
	if err != nil {
		return nil, err
	}
	o.page = flowPage{Flow: found, State: flowState(found.FlowCard), Draft: draftOf(found), Customer: text(c, "customer"), Price: text(c, "price"), TestKey: rand.Text()}
	for _, v := range found.Variables {
		if strings.Contains(v.Name, ".") {
			o.page.Long = append(o.page.Long, v)
		} else {
			o.page.Short = append(o.page.Short, v)
		}
	}
	if c.Request().Method == http.MethodPost {
		o.page.Draft, o.draft, o.page.Faults = readDraft(c, found)
		saved := draftOf(found)
		o.page.Changed = o.page.Draft != saved
		saved.Text = o.page.Draft.Text
		o.page.More = o.page.Draft != saved
	}
	return o, nil
}

// look renders the draft.
func (p *Pages) look(c echo.Context, o *opened) error {
	preview, err := p.service.PreviewFlow(c.Request().Context(), o.store, o.key, service.PreviewRequest{
		Draft: o.draft, Customer: o.page.Customer, Price: o.page.Price, Reveal: reveals(c),
	})
	if wrong := faults(err); wrong != nil {
		preview, err = service.FlowPreview{Faults: wrong, Rendered: true}, nil
	}
	o.page.Preview = preview
	o.page.Summary = summary(preview)
	return err
}

// summary says what a preview shows.
func summary(preview service.FlowPreview) string {
	if len(preview.Faults) > 0 {
		return plural(len(preview.Faults), "fault", "faults") + ": " + preview.Faults[0].Problem
	}
	var each []string
	for _, t := range preview.Texts {
		each = append(each, about(t.About)+": "+plural(t.Parts, "part", "parts"))
	}
	return strings.Join(each, "; ")
}

// showFlow answers with the page.
func (p *Pages) showFlow(c echo.Context, status int, o *opened) error {
	if err := p.look(c, o); err != nil {
		return err
	}
	if c.QueryParam("part") != "preview" {
		history, err := p.service.FlowHistory(c.Request().Context(), o.store, o.key)
		if err != nil {
			return err
		}
		o.page.Versions = versionsOf(history, 3)
	}
	return p.showStatus(c, status, "flow.html", o.page.Flow.Name, o.page)
}

func (p *Pages) flow(c echo.Context) error {
	o, err := p.open(c)
	if err != nil {
		return err
	}
	return p.showFlow(c, http.StatusOK, o)
}

// preview shows what was typed. Nothing is saved.
func (p *Pages) preview(c echo.Context) error {
	o, err := p.open(c)
	if err != nil {
		return err
	}
	return p.showFlow(c, http.StatusOK, o)
}

func (p *Pages) saveFlow(c echo.Context) error {
	o, err := p.open(c)
	if err != nil {
		return err
	}
	saved, err := p.save(c, o)
	if err != nil {
		return p.refused(c, o, err)
	}
	return then(c, link(o.store, "flows", o.key), done(saved, "saved"))
}

// save saves what was typed.
func (p *Pages) save(c echo.Context, o *opened) (service.SavedFlow, error) {
	if len(o.page.Faults) > 0 {
		return service.SavedFlow{}, &service.InvalidError{Faults: o.page.Faults}
	}
	seen, err := strconv.Atoi(c.FormValue("version"))
	if err != nil {
		return service.SavedFlow{}, &service.InvalidError{Faults: []service.Fault{{Field: "version", Problem: "the form names no version: load the page again"}}}
	}
	return p.service.SaveFlow(c.Request().Context(), person(c).Name, o.store, o.key, service.SaveFlow{Version: seen, Draft: o.draft})
}

// refused shows the page again, with what was typed and why it was refused.
func (p *Pages) refused(c echo.Context, o *opened, err error) error {
	if errors.Is(err, service.ErrConflict) {
		o.page.Conflict = true
		return p.showFlow(c, http.StatusConflict, o)
	}
	if o.page.Faults = faults(err); o.page.Faults == nil {
		return err
	}
	return p.showFlow(c, http.StatusUnprocessableEntity, o)
}

// done is saved, or the word for what was so already.
func done(saved service.SavedFlow, word string) string {
	if !saved.Changed {
		return "same"
	}
	return word
}

// sendTest sends what was typed to a number.
func (p *Pages) sendTest(c echo.Context) error {
	o, err := p.open(c)
	if err != nil {
		return err
	}
	o.page.TestNumber = true
	if len(o.page.Faults) > 0 {
		return p.showFlow(c, http.StatusUnprocessableEntity, o)
	}
	request := service.TestRequest{Number: text(c, "number"), Draft: o.draft, Key: c.FormValue("key")}
	sent, err := p.service.SendTest(c.Request().Context(), person(c).Name, o.store, o.key, request)
	var limited *service.LimitedError
	switch {
	case errors.As(err, &limited):
		o.page.Faults = []service.Fault{{Problem: limited.Problem}}
		return p.showFlow(c, http.StatusTooManyRequests, o)
	case err != nil:
		return p.refused(c, o, err)
	}
	o.page.Sent = &sent
	return p.showFlow(c, http.StatusOK, o)
}
