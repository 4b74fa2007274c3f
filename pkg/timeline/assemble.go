package timeline

import (
	"cmp"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// Options are what is known of the customer's store.
type Options struct {
	Topics topology.Topics
	// Settings are those that the transformer decides with; API and SMS as they are where it runs.
	Settings subscriber.Settings
	// Sinks are the sinks that the store uses.
	Sinks []topology.Role
	// Reveal shows personal data: e-mails, and the values of records.
	Reveal bool
}

// assembly is a timeline in the making.
type assembly struct {
	Records
	Options

	mask    Masker
	decoder *recharge.Decoder
	events  subscriber.EventDecoder
	byTopic map[string][]kafka.Record
	letters map[place][]letter
	shown   map[place]bool // places of records whose dead letters are shown
	texts   []Entry
	inText  map[string]Entry // the text of a trigger, by the trigger's id
	outputs map[place][]Entry
	factOf  map[string]place // where the raw record of a fact is, by the fact's id
	email   string
}

// Assemble joins the records of a customer.
func Assemble(found Records, o Options) (Timeline, error) {
	decoder, err := recharge.NewDecoder()
	if err != nil {
		return Timeline{}, err
	}
	a := &assembly{
		Records: found, Options: o, mask: NewMasker(o.Reveal), decoder: decoder, events: subscriber.NewEventDecoder(subscriber.Portal{}),
		byTopic: map[string][]kafka.Record{}, shown: map[place]bool{}, outputs: map[place][]Entry{}, factOf: map[string]place{},
	}
	for _, r := range found.Found {
		a.byTopic[r.Topic] = append(a.byTopic[r.Topic], r)
	}
	a.readLetters()
	a.readTexts()
	a.readOutputs()
	entries := slices.Concat(a.webhooks(), a.orphans(), a.texts, a.lostLetters())
	slices.SortStableFunc(entries, func(x, y Entry) int { return x.At.Compare(y.At) })
	return Timeline{
		Customer: found.Customer, Email: a.mask.Email(a.email), Partition: found.Partition, Partitions: found.Partitions, Since: found.Since,
		Entries: entries,
	}, nil
}

// reader returns the role that reads a topic of outputs, and whether the store uses it.
func (a *assembly) reader(topic string) (role topology.Role, used bool) {
	for _, role := range topology.Consumers() {
		if slices.Contains(a.Topics.Reads(role), topic) {
			return role, slices.Contains(a.Sinks, role)
		}
	}
	return "", false
}

// of returns the records of a topic.
func (a *assembly) of(topic string) []kafka.Record { return a.byTopic[topic] }

// orphans returns the outputs whose raw records are not shown: retention deleted them, or they are older than what is shown.
func (a *assembly) orphans() (entries []Entry) {
	for _, outputs := range a.outputs {
		for _, e := range outputs {
			if e.Kind != KindRow { // rows are shown with the record that wrote them
				entries = append(entries, e)
			}
		}
	}
	slices.SortFunc(entries, func(x, y Entry) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Record, y.Record)) })
	return entries
}

// lostLetters returns the dead letters of records that are not shown.
func (a *assembly) lostLetters() (entries []Entry) {
	for at, letters := range a.letters {
		if a.shown[at] {
			continue
		}
		for _, l := range letters {
			entries = append(entries, a.letterEntry(l))
		}
	}
	slices.SortFunc(entries, func(x, y Entry) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Record, y.Record)) })
	return entries
}
