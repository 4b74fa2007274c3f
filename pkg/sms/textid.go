package sms

import (
	"strconv"
	"strings"
)

// MaxTextID is the length of the longest TextID in bytes.
const MaxTextID = keyLength + 1 + 10 + 1 + maxCustomer

// TextID returns the id under which a text is given to a provider: {send key}-{partition}-{customer}, or the send key alone for a text without
// a customer. A delivery report brings it back, so it says where the report belongs.
func TextID(m Message) string {
	if m.CustomerID == "" {
		return m.SendKey
	}
	return m.SendKey + "-" + strconv.Itoa(m.Partition) + "-" + m.CustomerID
}

// ParseTextID parses what TextID returns. ok is false for the id of a text without customer, and for others that we never gave.
func ParseTextID(id string) (address TextAddress, ok bool) {
	key, place, _ := strings.Cut(id, "-")
	number, customer, _ := strings.Cut(place, "-")
	partition, err := strconv.ParseUint(number, 10, 31)
	address = TextAddress{SendKey: key, CustomerID: customer, Partition: int(partition)}
	ok = err == nil && strconv.Itoa(int(partition)) == number && len(key) == keyLength && strings.Trim(key, "0123456789abcdef") == "" &&
		customer != "" && customer[0] != '0' && len(customer) <= maxCustomer && strings.Trim(customer, "0123456789") == ""
	return address, ok
}

// Lengths of the parts of an id in characters.
const (
	keyLength   = 64
	maxCustomer = 19
)
