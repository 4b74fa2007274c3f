package stage

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/tracing"
)

// RefusedForAll is the error of a record that its destination refused as if it refused all. See [Refusals].
type RefusedForAll struct{ Err error }

// Error returns the message of the cause.
func (e *RefusedForAll) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RefusedForAll) Unwrap() error { return e.Err }

// Refusals finds out whether a destination refuses one record or all. An SMS provider, for example, may answer 403 because of one
// number, or because it refuses all texts. Only other records show the difference: one is refused alone if another was accepted
// between two of its refusals that are at least aloneAfter apart. Until then it waits, and so do the later records of its customer. Other customers' records go on.
type Refusals struct {
	now func() time.Time

	mu       sync.Mutex
	accepted int // records
	refused  int // attempts
	records  map[position]refusal
}

// refusal is what is known of a record that was refused.
type refusal struct {
	accepted int // records by the first refusal
	last     int // the number of its last refusal
	began    time.Time
}

// aloneAfter is the least time between two refusals of a record that is refused alone. A destination that refused all for a moment,
// such as by a rate limit or one of two servers while credentials change, accepts again by then.
const aloneAfter = 30 * time.Second

// NewRefusals returns a Refusals without any, with a clock.
func NewRefusals(now func() time.Time) *Refusals {
	return &Refusals{now: now, records: map[position]refusal{}}
}

// position identifies a record, also when it is redriven.
type position struct {
	topic     string
	partition int
	offset    int64
}

func positionOf(r kafka.Record) position { return position{r.Topic, r.Partition, r.Offset} }

// Accept counts an accepted record.
func (f *Refusals) Accept() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.accepted++
}

// Alone adds a refusal, and reports whether r is refused alone.
func (f *Refusals) Alone(r kafka.Record) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	known, again := f.records[positionOf(r)]
	if !again {
		known = refusal{accepted: f.accepted, began: now}
	}
	f.refused++
	known.last = f.refused
	f.records[positionOf(r)] = known
	return f.accepted > known.accepted && now.Sub(known.began) >= aloneAfter
}

// Several reports whether more than one record was refused and none was accepted since.
func (f *Refusals) Several() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	waiting := 0
	for _, known := range f.records {
		if known.accepted == f.accepted {
			waiting++
		}
	}
	return waiting > 1
}

// waits reports whether a record was refused and none was accepted since, and the number of its last refusal.
func (f *Refusals) waits(r kafka.Record) (last int, waits bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, refused := f.records[positionOf(r)]
	return known.last, refused && known.accepted == f.accepted
}

// forget removes a record that has an outcome.
func (f *Refusals) forget(r kafka.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.records, positionOf(r))
}

// Handle handles the records one by one, up to the first one that all others must wait for. It goes on behind one whose error is a
// RefusedForAll, and tries that one again after another was accepted. Records with the same key are of the same customer.
func (f *Refusals) Handle(ctx context.Context, records []kafka.Record, handle func(context.Context, kafka.Record) (Outcome, error)) ([]Result, error) {
	results := make([]Result, len(records))
	for {
		p := pass{Refusals: f, handle: handle, results: results, waiting: map[string]bool{}}
		if err := p.run(ctx, records); !p.again {
			return results, err
		}
	}
}

// maxRefused is how many records more than one are refused before a pass ends: few requests if the destination refuses all, and a
// way past any number of records that are refused alone, because another pass follows if one is accepted.
const maxRefused = 3

// pass is one pass over the records of a batch that have no outcome yet.
type pass struct {
	*Refusals

	handle  func(context.Context, kafka.Record) (Outcome, error)
	results []Result
	waiting map[string]bool // keys of customers with a record that waits
	why     error           // why a record waits; nil if none does
	probe   int             // index of the record to try of those that waited before; -1 if none did
	refused int             // records in this pass
	again   bool            // a record was accepted behind one that waits, and no other error stopped the pass
}

// run handles the records, and returns why one of them waits.
func (p *pass) run(ctx context.Context, records []kafka.Record) error {
	p.probe = p.longestWaiting(records)
	unsampled := tracing.ForUnsampled(ctx)
	for i, r := range records {
		if !p.results[i].open() || p.mustWait(i, r) {
			continue
		}
		outcome, err := p.handle(forRecord(ctx, unsampled, i, r), r)
		if refused := new(RefusedForAll); errors.As(err, &refused) {
			p.refuse(r, err)
			if p.refused > maxRefused {
				break
			}
			continue
		}
		if err != nil {
			p.again = false
			return err
		}
		p.finish(i, r, outcome)
	}
	return p.why
}

// longestWaiting returns the index of the waiting record whose last attempt is the longest ago, -1 if none waits. Only the first
// open record of a customer counts.
func (p *pass) longestWaiting(records []kafka.Record) int {
	found, oldest := -1, 0
	seen := map[string]bool{}
	for i, r := range records {
		if !p.results[i].open() {
			continue
		}
		customer := string(r.Key)
		if last, waits := p.waits(r); waits && !seen[customer] && (found < 0 || last < oldest) {
			found, oldest = i, last
		}
		seen[customer] = true
	}
	return found
}

// mustWait reports whether a record is not to be tried in this pass: an earlier one of its customer waits, or it waits and is not
// the probe.
func (p *pass) mustWait(i int, r kafka.Record) bool {
	if len(p.waiting) > 0 && p.waiting[string(r.Key)] {
		return true
	}
	if _, waits := p.waits(r); waits && i != p.probe {
		p.waiting[string(r.Key)] = true
		return true
	}
	return false
}

func (p *pass) refuse(r kafka.Record, why error) {
	p.waiting[string(r.Key)] = true
	p.why = why
	p.refused++
}

func (p *pass) finish(i int, r kafka.Record, outcome Outcome) {
	p.results[i].Outcome = outcome
	p.forget(r)
	if outcome.Kind == KindDone {
		p.again = p.again || len(p.waiting) > 0
	}
}
