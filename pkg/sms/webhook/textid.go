package webhook

import (
	"strconv"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/sms"
)

// textID returns the id under which a text is posted.
func textID(m sms.Message) string {
	if m.CustomerID == "" {
		return m.SendKey
	}
	return m.SendKey + "-" + strconv.Itoa(m.Partition) + "-" + m.CustomerID
}

// parseTextID parses what textID returns. ok is false for the id of a text without customer, and for others that we never posted.
func parseTextID(id string) (address sms.TextAddress, ok bool) {
	key, place, _ := strings.Cut(id, "-")
	number, customer, _ := strings.Cut(place, "-")
	partition, err := strconv.ParseUint(number, 10, 31)
	address = sms.TextAddress{SendKey: key, CustomerID: customer, Partition: int(partition)}
	ok = err == nil && strconv.Itoa(int(partition)) == number && len(key) == keyLength && strings.Trim(key, "0123456789abcdef") == "" &&
		customer != "" && customer[0] != '0' && len(customer) <= maxCustomer && strings.Trim(customer, "0123456789") == ""
	return address, ok
}

// Lengths of the parts of an id in characters.
const (
	keyLength   = 64
	maxCustomer = 19
)
