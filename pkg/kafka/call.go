package kafka

import "github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"

// call is one use of Produce. All but done is guarded by the producer's mutex; err may be read once done is closed.
type call struct {
	size int64 // bytes of its records
	left int   // records that nobody knows the end of
	over bool  // the caller waits no longer
	err  error
	why  error // why it takes so long
	done chan struct{}
}

func newCall(records []Record) *call {
	c := &call{left: len(records), done: make(chan struct{})}
	for _, r := range records {
		c.size += int64(r.Size())
	}
	return c
}

// settle is told what became of one record; the first error is the call's.
func (c *call) settle(err error) {
	if err != nil {
		c.err = err
	}
	if c.left--; c.left > 0 {
		return
	}
	close(c.done)
}

// parcel is one record of a call on its way.
type parcel struct {
	record batch.Record
	size   int
	call   *call
}
