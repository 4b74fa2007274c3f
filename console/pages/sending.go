package pages

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// sendingPage is how a store sends, and whom.
type sendingPage struct {
	Sending  service.SendingInfo
	Held     bool // any texts are held
	From, To string
	Flows    []flow.Key
	Consent  service.ConsentCounts
	Number   *service.ConsentInfo
	Faults   []service.Fault
	Conflict bool
}

// sendingOf reads the page of a store.
func (p *Pages) sendingOf(c echo.Context) (sendingPage, error) {
	ctx, store := c.Request().Context(), c.Param("store")
	sending, err := p.service.Sending(ctx, store)
	if err != nil {
		return sendingPage{}, err
	}
	counts, err := p.service.ConsentCounts(ctx, store)
	if err != nil {
		return sendingPage{}, err
	}
	return sendingPage{
		Sending: sending, Held: sending.Paused || len(sending.PausedFlows) > 0, Flows: flow.Keys(), Consent: counts,
		From: sending.QuietHours.From.String(), To: sending.QuietHours.To.String(),
	}, nil
}

func (p *Pages) sending(c echo.Context) error { return p.showSending(c, http.StatusOK, nil) }

// showSending answers with the page; change adds to it.
func (p *Pages) showSending(c echo.Context, status int, change func(*sendingPage)) error {
	own, err := p.sendingOf(c)
	if err != nil {
		return err
	}
	if change != nil {
		change(&own)
	}
	return p.showStatus(c, status, "sending.html", "Quiet hours and consent", own)
}

// sendingRefused shows why a change was refused.
func (p *Pages) sendingRefused(c echo.Context, err error) error {
	if errors.Is(err, service.ErrConflict) {
		return p.showSending(c, http.StatusConflict, func(own *sendingPage) { own.Conflict = true })
	}
	wrong := faults(err)
	if wrong == nil {
		return err
	}
	return p.showSending(c, http.StatusUnprocessableEntity, func(own *sendingPage) { own.Faults = wrong })
}

func (p *Pages) setSending(c echo.Context) error {
	var wrong []service.Fault
	seen, most := number(c, "version", &wrong), number(c, "texts_per_day", &wrong)
	if len(wrong) > 0 {
		return p.sendingRefused(c, &service.InvalidError{Faults: wrong})
	}
	from, to, states, all := text(c, "quiet_from"), text(c, "quiet_to"), checked(c, "us_states"), checked(c, "all_flows")
	_, err := p.service.SetSending(c.Request().Context(), person(c).Name, c.Param("store"), service.SetSending{
		Version: seen, QuietFrom: &from, QuietTo: &to, USStates: &states, AllFlows: &all, TextsPerDay: &most,
	})
	if err != nil {
		return p.sendingRefused(c, err)
	}
	return then(c, link(c.Param("store"), "sending"), "saved")
}

// pause holds texts, after a question that says how many wait, or sends them again.
func (p *Pages) pause(c echo.Context) error {
	store, change := c.Param("store"), service.Pause{Paused: c.FormValue("paused") == "true"}
	if key := flow.Key(c.FormValue("flow")); key != "" {
		change.Flows = []flow.Key{key}
	}
	if change.Paused && c.FormValue("confirm") == "" {
		return p.askToPause(c, store, change)
	}
	if _, err := p.service.Pause(c.Request().Context(), person(c).Name, store, change); err != nil {
		return p.sendingRefused(c, err)
	}
	if change.Paused {
		return then(c, link(store, "sending"), "held")
	}
	return then(c, link(store, "sending"), "resumed")
}

func (p *Pages) askToPause(c echo.Context, store string, change service.Pause) error {
	overview, err := p.service.Overview(c.Request().Context(), store)
	if err != nil {
		return err
	}
	waiting := 0
	for _, w := range overview.Waiting {
		if w.For == "release" {
			waiting = w.Count
		}
	}
	what := "This holds the texts of all flows of " + store + " from now on. "
	if len(change.Flows) > 0 {
		what = "This holds the texts of " + flowNames(change.Flows) + " from now on. "
	}
	return p.confirm(c, confirmation{
		Title: "Hold texts?", What: what + plural(waiting, "text waits", "texts wait") + " in this store now.",
		Then:   "A held text is sent after the pause if it is still worth sending, else never.",
		Action: link(store, "sending", "pause"), Button: "Hold texts", Count: waiting, Back: link(store, "sending"),
		Fields: []field{{"paused", strconv.FormatBool(true)}, {"flow", c.FormValue("flow")}},
	})
}
