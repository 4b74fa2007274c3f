package quiethours

import (
	_ "embed"
	"strings"
)

// regions has one line per state or province of countries with several time zones: country, code, name, zones.
//
//go:embed regions.txt
var regions string

// areaCodes has one line per region: country, code, its area codes. TestAreaCodesAreUpToDate writes it.
//
//go:embed areacodes.txt
var areaCodes string

// region is a state or province.
type region struct {
	country, code string
	zones         []string
}

// places returns the zones of the region. The windows of states apply in the US only.
func (r region) places() []place {
	state := ""
	if r.country == "US" {
		state = r.code
	}
	all := make([]place, len(r.zones))
	for i, zone := range r.zones {
		all[i] = place{zone: zone, state: state}
	}
	return all
}

// regionOf finds a region by its code or English name.
func regionOf(country, province string) (region, bool) {
	province = strings.TrimSpace(province)
	for line := range linesOf(regions) {
		if r, name := parseRegion(line); r.country == country && (strings.EqualFold(r.code, province) || strings.EqualFold(name, province)) {
			return r, true
		}
	}
	return region{}, false
}

func parseRegion(line string) (r region, name string) {
	fields := strings.Split(line, ";")
	return region{country: fields[0], code: fields[1], zones: strings.Split(fields[3], ",")}, fields[2]
}

// regionOfAreaCode finds the region of a number of the North American numbering plan, in E.164.
func regionOfAreaCode(number string) (region, bool) {
	if !strings.HasPrefix(number, "+1") || len(number) < len("+1212") {
		return region{}, false
	}
	for line := range linesOf(areaCodes) {
		fields := strings.Split(line, ";")
		if strings.Contains(fields[2], number[2:5]) {
			return regionOf(fields[0], fields[1])
		}
	}
	return region{}, false
}
