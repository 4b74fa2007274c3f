package command

import (
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/wording"
)

// plain returns a title without HTML, in which shops write titles: a filter compares what people see. A title that has an ampersand alone is
// returned as it is.
func plain(title string) string {
	ampersand := strings.IndexByte(title, '&')
	if !strings.Contains(title, "<") && (ampersand < 0 || !strings.Contains(title[ampersand:], ";")) {
		return title
	}
	return wording.Plain(title)
}

// mostDecimals is more than any price has. Recharge also sends binary fractions such as 62.989999999999995.
const mostDecimals = 8

// amount returns an amount without the noise of a binary fraction.
func amount(digits, currency string) string {
	if _, fraction, _ := strings.Cut(digits, "."); len(fraction) <= mostDecimals {
		return digits
	}
	return wording.Amount(digits, currency)
}

// currencyOf returns the currency of an event's amounts.
func currencyOf(e subscriber.Event) string {
	switch {
	case e.Subscription != nil:
		return e.Subscription.Currency
	case e.Charge != nil:
		return e.Charge.Currency
	}
	return ""
}
