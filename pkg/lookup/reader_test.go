package lookup_test

import (
	"context"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
)

// readerFunc is an API that answers as a test says.
type readerFunc func(recharge.Question) (recharge.Lookup, error)

// Ask is part of lookup.Reader.
func (f readerFunc) Ask(_ context.Context, q recharge.Question) (recharge.Lookup, error) { return f(q) }

// unknown is the answer of an API that knows nobody.
func unknown(q recharge.Question) (recharge.Lookup, error) {
	return recharge.Lookup{Question: q, NotFound: true}, nil
}
