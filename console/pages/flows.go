package pages

import (
	"fmt"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/service"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowstats"
)

// card is a flow among the twelve.
type card struct {
	service.FlowCard
	State badge
	// Excerpt is the beginning of the text with samples.
	Excerpt string
}

// flowState is the state of a flow.
func flowState(f service.FlowCard) badge {
	switch {
	case f.Problem != "" && f.Active:
		return badge{"bad", "On, but sends nothing"}
	case f.Paused && f.Active:
		return badge{"warn", "On, texts are held"}
	case f.Active:
		return badge{"good", "On"}
	}
	return badge{"", "Off"}
}

func (p *Pages) flows(c echo.Context) error {
	ctx, store := c.Request().Context(), c.Param("store")
	cards, err := p.service.Flows(ctx, store)
	if err != nil {
		return err
	}
	var own struct{ Cards []card }
	for _, f := range cards {
		said := f.Text // one that can't be rendered is shown as it is
		preview, err := p.service.PreviewFlow(ctx, store, f.Key, service.PreviewRequest{})
		if err != nil {
			return err
		}
		if len(preview.Texts) > 0 {
			said = preview.Texts[0].Text
		}
		own.Cards = append(own.Cards, card{FlowCard: f, State: flowState(f), Excerpt: excerpt(said)})
	}
	return p.show(c, "flows.html", "Flows", own)
}

// excerpt is the beginning of a text, cut at a word.
func excerpt(text string) string {
	const most = 110
	letters := []rune(strings.Join(strings.Fields(text), " "))
	if len(letters) <= most {
		return string(letters)
	}
	cut := string(letters[:most])
	if at := strings.LastIndexByte(cut, ' '); at > most/2 {
		cut = cut[:at]
	}
	return cut + "…"
}

// statsPage is the numbers of flows.
type statsPage struct {
	Days             int
	Total            bool
	Columns          []string
	Rows             []statsRow
	Chart, DarkChart string
}

// statsRow has the numbers in the order of the columns.
type statsRow struct {
	Day, Flow string
	Numbers   []int
}

func (p *Pages) stats(c echo.Context) error {
	own := statsPage{Days: days(c, 30, 365), Total: c.QueryParam("days") != "" && !checked(c, "by_day")}
	found, err := p.service.FlowStats(c.Request().Context(), service.StatsRequest{Store: c.Param("store"), Since: p.ago(own.Days), Total: own.Total})
	if err != nil {
		return err
	}
	for _, column := range flowstats.Columns() {
		own.Columns = append(own.Columns, strings.ReplaceAll(column, "_", " "))
	}
	sent := 0
	for _, row := range found.Rows {
		own.Rows = append(own.Rows, statsRow{Day: row.Day, Flow: plainly(string(row.Flow)), Numbers: row.Values()})
		sent += row.Sent
	}
	slices.SortStableFunc(own.Rows, func(a, b statsRow) int { return strings.Compare(b.Day, a.Day) })
	if !own.Total && sent > 0 {
		own.Chart, own.DarkChart = chartPaths(link(c.Param("store"), "flows", "stats", "chart.svg"), sent)
		shown := fmt.Sprintf("&days=%d", own.Days) // not what was typed: a comma in srcset begins another address
		own.Chart, own.DarkChart = own.Chart+shown, own.DarkChart+shown
	}
	return p.show(c, "flow_stats.html", "Numbers of flows", own)
}

// statsChart shows the texts that were sent, by day, with a line for each of the flows that sent most.
func (p *Pages) statsChart(c echo.Context) error {
	found, err := p.service.FlowStats(c.Request().Context(), service.StatsRequest{Store: c.Param("store"), Since: p.ago(days(c, 30, 365))})
	if err != nil {
		return err
	}
	return writeChart(c, sentByDay(found.Rows))
}

// mostLines is how many flows a chart shows.
const mostLines = 5

func sentByDay(rows []flowstats.Row) series {
	chart := series{Width: 960, Height: 280}
	sent, perDay := map[flow.Key]int{}, map[string]map[flow.Key]int{}
	for _, row := range rows {
		if perDay[row.Day] == nil {
			perDay[row.Day] = map[flow.Key]int{}
			chart.Labels = append(chart.Labels, row.Day)
		}
		sent[row.Flow] += row.Sent
		perDay[row.Day][row.Flow] += row.Sent
	}
	slices.Sort(chart.Labels)
	keys := slices.DeleteFunc(flow.Keys(), func(k flow.Key) bool { return sent[k] == 0 })
	slices.SortStableFunc(keys, func(a, b flow.Key) int { return sent[b] - sent[a] })
	for _, key := range keys[:min(len(keys), mostLines)] {
		var values []float64
		for _, day := range chart.Labels {
			values = append(values, float64(perDay[day][key]))
		}
		chart.Names, chart.Values = append(chart.Names, plainly(string(key))), append(chart.Values, values)
	}
	return chart
}
