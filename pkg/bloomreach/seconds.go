package bloomreach

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Seconds returns t as UNIX seconds with up to 6 decimals, for example 1709566376 or 1629118980.000001: Bloomreach
// keeps every digit, down to the microsecond (https://documentation.bloomreach.com/engagement/docs/data-types). What is
// smaller than a microsecond is cut off. No float is involved. An ISO 8601 string with an offset, as Recharge writes
// it, would not be understood.
func Seconds(t time.Time) json.Number {
	micros, sign := t.UnixMicro(), ""
	if micros < 0 {
		micros, sign = -micros, "-"
	}
	text := fmt.Sprintf("%s%d.%06d", sign, micros/1_000_000, micros%1_000_000)
	return json.Number(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
}
