package quiethours

import "time"

// anyState is a state of the US that is not known.
const anyState = "US"

// stateWindow returns when a US state allows texts on a day. They are the stricter ones where sources disagree, for marketing: texts
// about a subscription mostly are not. This is not legal advice. Sources:
// https://help.postscript.io/hc/en-us/articles/9321080861211-Guide-to-Quiet-Hours,
// https://support.referrizer.com/en/category/text-campaigns/article/tcpa-quiet-hours-and-state-specific-rules-for-text-campaigns.
func stateWindow(state string, day time.Weekday) (w window, found bool) {
	weekend := day == time.Saturday || day == time.Sunday
	switch state {
	case "FL", "MD", "MS", "NJ", "OK", "WA":
		return hours(8, 20), true
	case "CT":
		return hours(9, 20), true
	case "RI":
		if weekend {
			return hours(10, 17), true
		}
		return hours(9, 18), true
	case "TX":
		if day == time.Sunday {
			return hours(12, 21), true
		}
		return hours(9, 21), true
	case "":
		return window{}, false
	}
	return hours(8, 21), true // 47 CFR 64.1200(c)(1)
}

func hours(opens, closes Clock) window { return window{opens * 60, closes * 60} }
