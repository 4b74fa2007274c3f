package flow

import (
	"fmt"
	"strconv"
)

// Price is the price of one part of a text; the zero value for none.
type Price struct {
	text  string
	value float64
}

// maxPrice is higher than any price of a part.
const maxPrice = 1000

// ParsePrice reads a decimal such as "0.0079", "" for no price.
func ParsePrice(text string) (Price, error) {
	if text == "" {
		return Price{}, nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !(value > 0 && value < maxPrice) {
		return Price{}, fmt.Errorf("price is %q, expected the price of one part, such as 0.0079", text)
	}
	return Price{text, value}, nil
}

// String returns the price as it was given, "" for none.
func (p Price) String() string { return p.text }

// Cost returns what parts cost, a decimal; "" without a price.
func (p Price) Cost(parts int) string {
	if p.value == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", float64(parts)*p.value)
}
