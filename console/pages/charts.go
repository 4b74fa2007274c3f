package pages

import (
	"fmt"
	"net/http"

	"github.com/go-analyze/charts"
	"github.com/labstack/echo/v4"
)

// series are lines of a chart, with a value for each label.
type series struct {
	Names         []string
	Labels        []string
	Values        [][]float64
	Width, Height int
}

// writeChart answers with an SVG, dark if the request says so. It is an image of its own and not part of a page, because its elements have styles,
// which the Content-Security-Policy of pages refuses.
func writeChart(c echo.Context, s series) error {
	image, err := s.draw(c.QueryParam("dark") != "")
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "image/svg+xml", image)
}

// draw returns the SVG of lines.
func (s series) draw(dark bool) ([]byte, error) {
	if len(s.Labels) == 0 {
		s.Labels, s.Values, s.Names = []string{""}, [][]float64{{0}}, []string{""}
	}
	options := charts.NewLineChartOptionWithData(s.Values)
	options.Theme = theme(dark)
	options.XAxis.Labels = s.Labels
	options.Legend.SeriesNames = s.Names
	options.Symbol.Shape = charts.SymbolNone
	options.Padding = charts.NewBox(8, 8, 8, 8)
	painter := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: s.Width, Height: s.Height, Theme: options.Theme})
	if err := painter.LineChart(options); err != nil {
		return nil, fmt.Errorf("draw chart: %w", err)
	}
	image, err := painter.Bytes()
	if err != nil {
		return nil, fmt.Errorf("draw chart: %w", err)
	}
	return image, nil
}

// theme has the colours of the style sheet.
func theme(dark bool) charts.ColorPalette {
	ground, ink, line, colours := "#ffffff", "#565c66", "#dcd9d2", []string{"#0b5d4e", "#c2570c", "#1e4d8c", "#8a2f7a", "#744a00"}
	if dark {
		ground, ink, line, colours = "#1b1f24", "#a9b0ba", "#343a42", []string{"#63cdb5", "#f0a35e", "#9cc3f5", "#e3a1d6", "#f0c46f"}
	}
	palette := make([]charts.Color, len(colours))
	for i, colour := range colours {
		palette[i] = charts.ColorFromHex(colour)
	}
	base := charts.GetTheme(charts.ThemeLight)
	if dark {
		base = charts.GetTheme(charts.ThemeDark)
	}
	return base.WithBackgroundColor(charts.ColorFromHex(ground)).WithTextColor(charts.ColorFromHex(ink)).
		WithAxisSplitLineColor(charts.ColorFromHex(line)).WithXAxisColor(charts.ColorFromHex(line)).WithYAxisColor(charts.ColorFromHex(line)).
		WithSeriesColors(palette)
}
