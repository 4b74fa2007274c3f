package lookup_test

import (
	"context"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// clientFunc is an API that answers as a test specifies.
type clientFunc func(recharge.LookupRequest) (recharge.Lookup, error)

// Lookup is part of lookup.Client.
func (f clientFunc) Lookup(_ context.Context, r recharge.LookupRequest) (recharge.Lookup, error) {
	return f(r)
}

// unknown is the answer of an API that has no customers.
func unknown(r recharge.LookupRequest) (recharge.Lookup, error) {
	return recharge.Lookup{LookupRequest: r, NotFound: true}, nil
}

// requestKey identifies a request of one store.
type requestKey struct {
	customerID string
	kind       recharge.LookupKind
	chargeID   string
	attempt    int
}

func keyOf(r recharge.LookupRequest) requestKey {
	return requestKey{r.CustomerID, r.Kind, r.ChargeID, r.Attempt}
}
