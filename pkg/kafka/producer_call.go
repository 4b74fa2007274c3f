package kafka

import "github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"

// produceCall is one call of Produce. The producer's mutex guards all but done; err may be read once done is closed.
type produceCall struct {
	size      int64 // bytes of its records
	remaining int   // records whose outcome is unknown
	abandoned bool  // the caller has given up
	err       error
	cause     error // of the last failed attempt
	done      chan struct{}
}

func newCall(records []Record) *produceCall {
	c := &produceCall{remaining: len(records), done: make(chan struct{})}
	for _, r := range records {
		c.size += int64(r.Size())
	}
	return c
}

// complete reports the outcome of one record. The call fails if one of its records fails.
func (c *produceCall) complete(err error) {
	if err != nil {
		c.err = err
	}
	if c.remaining--; c.remaining > 0 {
		return
	}
	close(c.done)
}

// pendingRecord is one record of a call whose outcome is unknown.
type pendingRecord struct {
	record batch.Record
	size   int
	call   *produceCall
}
