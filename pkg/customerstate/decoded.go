package customerstate

import (
	"bytes"

	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// maxDecoded is the number of customers of a partition whose decoded state is kept.
const maxDecoded = 64

// decodedStates keeps the states that were loaded or saved last: the webhooks of a customer come in bursts. A state is kept with its
// row and is returned for the same row only, so it is never out of date, and a row that was rolled back has another. It is shared:
// who loads a state does not change it.
type decodedStates map[string]decodedState

type decodedState struct {
	row   []byte
	state subscriber.State
}

func (d decodedStates) get(key, row []byte) (subscriber.State, bool) {
	kept, ok := d[string(key)]
	return kept.state, ok && bytes.Equal(kept.row, row)
}

func (d decodedStates) keep(key, row []byte, st subscriber.State) {
	if len(d) >= maxDecoded {
		clear(d)
	}
	d[string(key)] = decodedState{row, st}
}
