package timeline

import (
	"fmt"

	"github.com/rechargeflow/rechargeflow/pkg/deadletter"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// letterTopics returns the topics of dead letters by role.
func letterTopics(t topology.Topics) map[topology.Role]deadletter.Topics {
	topics := map[topology.Role]deadletter.Topics{}
	for _, role := range topology.Consumers() {
		topics[role] = deadletter.Topics{Letters: t.DeadLetters(role), Redrive: t.Redrive(role)}
	}
	return topics
}

// place is where a record is.
type place struct {
	topic     string
	partition int
	offset    int64
}

func placeOf(r kafka.Record) place { return place{r.Topic, r.Partition, r.Offset} }

// String returns topic/partition/offset.
func (p place) String() string { return fmt.Sprintf("%s/%d/%d", p.topic, p.partition, p.offset) }

// letter is a dead letter.
type letter struct {
	deadletter.Letter

	role  topology.Role
	place place
	// again is where it was sent to its role again last; nil if it was not.
	again *place
}

// readLetters reads the dead letters by the places of their records.
func (a *assembly) readLetters() {
	a.letters = map[place][]letter{}
	for role, topics := range letterTopics(a.Topics) {
		again := map[deadletter.Position]place{}
		for _, r := range a.of(topics.Redrive) {
			if of, ok := deadletter.RedriveOf(r); ok {
				again[of] = placeOf(r)
			}
		}
		for _, r := range a.of(topics.Letters) {
			l := letter{Letter: deadletter.Read(r), role: role, place: placeOf(r)}
			if at, ok := again[deadletter.PositionOf(r)]; ok {
				l.again = &at
			}
			origin := placeOf(l.Record)
			a.letters[origin] = append(a.letters[origin], l)
		}
	}
}

// fate returns how far the record at a place has come with the role that reads it: done is the state of one that was handled. It also
// returns the entries of its dead letters, which are then not shown elsewhere.
func (a *assembly) fate(role topology.Role, at place, done State) (state State, why reason.Reason, letters []Entry) {
	var last letter
	for _, l := range a.letters[at] {
		if l.role == role {
			letters, last = append(letters, a.letterEntry(l)), l
		}
	}
	switch {
	case letters != nil:
		a.shown[at] = true
		if state = a.letterState(last); state == Replayed {
			return done, "", letters
		}
		return state, reason.Reason(last.Reason), letters
	case !a.read(role, at):
		return Waiting, "", nil
	}
	return done, "", nil
}

// letterState returns whether a dead letter was sent to its role again, and read.
func (a *assembly) letterState(l letter) State {
	switch {
	case l.again == nil:
		return Rejected
	case a.read(l.role, *l.again):
		return Replayed
	}
	return Waiting
}

func (a *assembly) letterEntry(l letter) Entry {
	detail := a.mask.Text(l.Error)
	if l.Attempts > 1 {
		detail = fmt.Sprintf("attempt %d: %s", l.Attempts, detail)
	}
	return Entry{
		At: l.Last, Kind: KindDeadLetter, Type: string(l.role), State: a.letterState(l), Reason: reason.Reason(l.Reason), Detail: detail,
		Record: l.place.String(), Value: a.mask.value(l.Record.Value),
	}
}

// read reports whether the group of a role has committed an offset above a record.
func (a *assembly) read(role topology.Role, at place) bool {
	store := ""
	if a.Topics.Membership(role) != "" {
		store = a.Customer.Store
	}
	committed, known := a.Committed[a.Topics.Group(role, store)][at.topic]
	return known && committed != admin.NeverCommitted && committed > at.offset
}
