package pages

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
)

// lettersPage is a list of dead letters.
type lettersPage struct {
	Query   service.DeadLetterQuery
	Letters service.DeadLetterPage
	Next    string
	Replays []service.Replay
	Roles   []string
	Reasons []string
	Fields  []field // the query, for the form that sends them again
	Faults  []service.Fault
}

// letterQuery reads what is searched for. A form has the same fields as the address of the list.
func letterQuery(c echo.Context) service.DeadLetterQuery {
	return service.DeadLetterQuery{
		Role: c.FormValue("role"), Store: c.FormValue("store"), Reason: c.FormValue("reason"), Open: checked(c, "open"), Cursor: c.QueryParam("cursor"),
		Limit: pageSize,
	}
}

func (p *Pages) letters(c echo.Context) error {
	own := lettersPage{Query: letterQuery(c), Roles: []string{"transformer", "tracking", "sms"}, Reasons: deadLetterReasons()}
	own.Fields = replayFields(service.ReplayRequest{Role: own.Query.Role, Store: own.Query.Store, Reason: own.Query.Reason})
	found, err := p.service.DeadLetters(c.Request().Context(), own.Query)
	status := http.StatusOK
	if own.Faults = faults(err); own.Faults != nil {
		status = http.StatusUnprocessableEntity
	} else if err != nil {
		return err
	}
	own.Letters, own.Next = found, older(c, found.Next)
	if own.Replays, err = p.service.Replays(c.Request().Context()); err != nil {
		return err
	}
	return p.showStatus(c, status, "deadletters.html", "Dead letters", own)
}

// letterPage is one dead letter.
type letterPage struct {
	Letter service.DeadLetter
	Reveal bool
}

func (p *Pages) letter(c echo.Context) error {
	name := c.Param("role") + "/" + c.Param("partition") + "/" + c.Param("offset")
	found, err := p.service.DeadLetter(c.Request().Context(), name, reveals(c))
	if err != nil {
		return err
	}
	return p.show(c, "deadletter.html", "Dead letter", letterPage{Letter: found, Reveal: reveals(c)})
}

// replay sends dead letters to their roles again, after a question that says how many.
func (p *Pages) replay(c echo.Context) error {
	ctx := c.Request().Context()
	request, back := service.ReplayRequest{Role: c.FormValue("role"), Store: c.FormValue("store"), Reason: c.FormValue("reason"), Again: checked(c, "again")}, "/deadletters"
	if name := c.FormValue("names"); name != "" {
		request.Names, request.Again, back = []string{name}, true, letterPath(name)
	}
	if confirmed := c.FormValue("confirm"); confirmed != "" {
		return p.replayConfirmed(c, request, confirmed)
	}
	count, err := p.service.CountReplay(ctx, request)
	if err != nil {
		return err
	}
	ask := confirmation{
		Title: "Send them again?", Then: "Texts that are too old are not sent. What fails again becomes a dead letter again.",
		What:   "This sends " + plural(count.Letters, "dead letter", "dead letters") + " to their roles again. It takes about " + seconds(max(1, count.Seconds)) + ".",
		Action: "/deadletters/replay", Button: "Send " + plural(count.Letters, "dead letter", "dead letters") + " again", Count: count.Letters, Back: back,
		Fields: replayFields(request),
	}
	if count.Skipped > 0 {
		ask.What += " " + plural(count.Skipped, "was", "were") + " sent again before and stays as it is."
	}
	return p.confirm(c, ask)
}

// replayFields are the hidden fields of a request.
func replayFields(r service.ReplayRequest) []field {
	fields := []field{{"role", r.Role}, {"store", r.Store}, {"reason", r.Reason}}
	if len(r.Names) > 0 {
		fields = append(fields, field{"names", r.Names[0]})
	} else if r.Again {
		fields = append(fields, field{"again", "on"})
	}
	return fields
}

// replayConfirmed sends as many as the question said.
func (p *Pages) replayConfirmed(c echo.Context, request service.ReplayRequest, confirmed string) error {
	count, err := strconv.Atoi(confirmed)
	if err != nil {
		return fmt.Errorf("%w: the form names no number of dead letters", service.ErrInvalid)
	}
	request.Confirm = count
	if _, err := p.service.Replay(c.Request().Context(), person(c).Name, request); err != nil {
		return err
	}
	return then(c, "/deadletters", "replaying")
}
