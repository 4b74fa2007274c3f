package pages

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/console/service"
)

// number looks a number up, and records a decision about it. The number is in no address, so that no log and no history has it.
func (p *Pages) number(c echo.Context) error {
	ctx, store := c.Request().Context(), c.Param("store")
	typed, change := text(c, "number"), c.FormValue("do")
	if change != "show" {
		about := service.ConsentChange{Numbers: []string{typed}, Note: text(c, "note"), DespiteStop: checked(c, "despite_stop")}
		if err := mayDecide(c, about); err != nil {
			return err
		}
		if err := checkDecision(change, about); err != nil {
			return p.sendingRefused(c, err)
		}
		if about.DespiteStop && c.FormValue("confirm") == "" {
			return p.askDespiteStop(c, about)
		}
		if err := p.decide(c, change, about); err != nil {
			return p.sendingRefused(c, err)
		}
	}
	found, err := p.service.ConsentOf(ctx, store, typed, false)
	if err != nil {
		return p.sendingRefused(c, err)
	}
	return p.showSending(c, http.StatusOK, func(own *sendingPage) { own.Number = &found })
}

// mayDecide returns an error if a person may not make a decision.
func mayDecide(c echo.Context, about service.ConsentChange) error {
	switch who := person(c); {
	case !who.May(access.Editor):
		return fmt.Errorf("%w: this needs the role %s", service.ErrForbidden, access.Editor)
	case about.DespiteStop && !who.May(access.Operator):
		return fmt.Errorf("%w: to opt in a number that has opted out itself needs the role %s", service.ErrForbidden, access.Operator)
	}
	return nil
}

// checkDecision returns what is wrong with a decision, before anything is asked.
func checkDecision(change string, about service.ConsentChange) error {
	switch {
	case change != "opt_in" && change != "opt_out":
		return refused("do", "must be show, opt_in or opt_out")
	case about.DespiteStop && change != "opt_in":
		return refused("despite_stop", "is for an opt-in only")
	}
	return about.Check()
}

func refused(field, problem string) error {
	return &service.InvalidError{Faults: []service.Fault{{Field: field, Problem: problem}}}
}

// askDespiteStop asks before a number is opted in that has opted out itself.
func (p *Pages) askDespiteStop(c echo.Context, about service.ConsentChange) error {
	store := c.Param("store")
	found, err := p.service.ConsentOf(c.Request().Context(), store, about.Numbers[0], false)
	if err != nil {
		return p.sendingRefused(c, err)
	}
	return p.confirm(c, confirmation{
		Title: "Opt in although the customer has said STOP?", What: "This lets " + store + " send texts to " + found.Number + " again, also if the customer has opted out with STOP.",
		Then:   "Do it only if the customer has asked you for texts since, and you can show that. The history of the number will have your name. The provider may go on refusing texts to it.",
		Action: link(store, "sending", "number"), Button: "Opt in despite STOP", Count: 1, Back: link(store, "sending"),
		Fields: []field{{"number", about.Numbers[0]}, {"note", about.Note}, {"do", "opt_in"}, {"despite_stop", "on"}},
	})
}

// decide records an opt-out or an opt-in.
func (p *Pages) decide(c echo.Context, change string, about service.ConsentChange) error {
	record := p.service.OptOut
	if change == "opt_in" {
		record = p.service.OptIn
	}
	_, err := record(c.Request().Context(), person(c).Name, c.Param("store"), about)
	return err
}
