package bloomreach

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// UnixSeconds returns t as UNIX seconds with up to 6 decimals, for example 1709566376 or 1629118980.000001. Bloomreach
// stores microseconds (https://documentation.bloomreach.com/engagement/docs/data-types); smaller fractions are cut off. It
// does not accept an ISO 8601 string with an offset, as Recharge sends it.
func UnixSeconds(t time.Time) json.Number {
	micros, sign := t.UnixMicro(), ""
	if micros < 0 {
		micros, sign = -micros, "-"
	}
	text := fmt.Sprintf("%s%d.%06d", sign, micros/1_000_000, micros%1_000_000)
	return json.Number(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
}
