package quiethours

import (
	_ "embed"
	"iter"
	"strings"
)

// countries has one line per country and zone.
//
//go:embed countries.txt
var countries string

// placesOf returns the zones of a country.
func placesOf(country string) (all []place) {
	for line := range linesOf(countries) {
		if code, zone, _ := strings.Cut(line, " "); code == country {
			all = append(all, place{zone: zone})
		}
	}
	return all
}

// linesOf yields the lines of a file without comments.
func linesOf(file string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(file) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' && !yield(line) {
				return
			}
		}
	}
}
