package timeline

import (
	"cmp"
	"slices"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// webhooks returns the raw records with their outputs, and takes these out of a.outputs.
func (a *assembly) webhooks() (entries []Entry) {
	raws := append(slices.Clone(a.of(a.Topics.Webhooks())), a.onlyAsLetters()...)
	unseen := a.newUnseen(raws)
	for _, raw := range raws {
		at := placeOf(raw)
		e := Entry{
			At: envelope.ReceivedOrWritten(raw), Kind: rawKind(raw), Type: rawType(raw), Detail: rawDetail(raw), Record: at.String(), Value: a.mask.value(raw.Value),
		}
		state, why, letters := a.fate(topology.RoleTransformer, at, Done)
		e.State, e.Reason = state, why
		e.Entries = append(a.outputs[at], letters...)
		delete(a.outputs, at)
		switch {
		case slices.ContainsFunc(e.Entries, isOutput): // also of one that waits: its offset is committed in the same transaction, and read later
			e.State, e.Reason = Done, ""
		case state == Done:
			e.State = NoOutput
			unseen.explain(&e, raw)
		}
		entries = append(entries, e)
	}
	return entries
}

// isOutput reports whether an entry is an output that counts: a webhook that only changed rows is skipped.
func isOutput(e Entry) bool { return e.Kind != KindRow && e.Kind != KindDeadLetter }

// onlyAsLetters returns the raw records of which only the dead letters were read: their keys are not the customer's, or they are older.
func (a *assembly) onlyAsLetters() (raws []kafka.Record) {
	seen := map[place]bool{}
	for _, r := range a.of(a.Topics.Webhooks()) {
		seen[placeOf(r)] = true
	}
	for at, letters := range a.letters {
		if l := letters[len(letters)-1]; l.role == topology.RoleTransformer && at.topic == a.Topics.Webhooks() && !seen[at] {
			raws = append(raws, l.Record)
		}
	}
	slices.SortFunc(raws, func(x, y kafka.Record) int {
		return cmp.Or(cmp.Compare(x.Partition, y.Partition), cmp.Compare(x.Offset, y.Offset))
	})
	return raws
}

// rawKind returns the kind of a raw record by its source.
func rawKind(raw kafka.Record) Kind {
	switch raw.Header(envelope.HeaderSource) {
	case envelope.SourceLookup:
		return KindLookup
	case envelope.SourceImport:
		return KindImport
	case envelope.SourceOwner, envelope.SourceChargeOwner:
		return KindOwner
	case envelope.SourceMoved:
		return KindMoved
	case envelope.SourceDeleted:
		return KindDeletion
	}
	return KindWebhook
}

func rawType(raw kafka.Record) string {
	return cmp.Or(raw.Header(envelope.HeaderRechargeTopic), raw.Header(envelope.HeaderSource))
}

// rawDetail names the resource of a webhook.
func rawDetail(raw kafka.Record) string {
	topic := recharge.Topic(raw.Header(envelope.HeaderRechargeTopic))
	if inspected, valid := recharge.Inspect(topic, raw.Value); valid && inspected.ResourceID != "" {
		return topic.Resource() + " " + inspected.ResourceID
	}
	return ""
}
