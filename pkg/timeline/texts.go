package timeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/message"
)

// readTexts reads the changes of each text.
func (a *assembly) readTexts() {
	a.inText = map[string]Entry{}
	var ids []string
	changes := map[string][]message.Change{}
	places := map[string]place{}
	for _, r := range a.of(a.Topics.Messages()) {
		var m message.Change
		if err := json.Unmarshal(r.Value, &m); err != nil {
			a.texts = append(a.texts, Entry{At: r.Time, Kind: KindText, State: Rejected, Detail: "value is not a message", Record: placeOf(r).String()})
			continue
		}
		if changes[m.ID] == nil {
			ids = append(ids, m.ID)
		}
		changes[m.ID], places[m.ID] = append(changes[m.ID], m), placeOf(r)
	}
	for _, id := range ids {
		text := a.text(changes[id], places[id])
		a.texts = append(a.texts, text)
		for _, t := range changes[id][len(changes[id])-1].Triggers {
			a.inText[t.ID] = text
		}
	}
}

// text returns a text with its changes; the last one is at a place.
func (a *assembly) text(changes []message.Change, at place) Entry {
	last := changes[len(changes)-1]
	e := a.change(last)
	e.Kind, e.Type, e.ID, e.Record = KindText, string(last.Flow), last.ID, at.String()
	for _, m := range changes {
		e.Entries = append(e.Entries, a.change(m))
	}
	return e
}

// change returns one change of a text.
func (a *assembly) change(m message.Change) Entry {
	e := Entry{At: m.At, Kind: KindText, State: State(m.Status), Reason: m.Reason}
	var details []string
	if m.Status == message.Planned && !m.ReleaseAt.IsZero() {
		details = append(details, "due "+m.ReleaseAt.UTC().Format(time.RFC3339))
	}
	if m.Code != "" || m.Error != "" {
		details = append(details, strings.TrimSuffix(fmt.Sprintf("%s: %s", cmp.Or(m.Code, "answer"), a.mask.Text(m.Error)), ": "))
	}
	if m.ProviderID != "" {
		details = append(details, "provider "+a.mask.Text(m.ProviderID))
	}
	if !m.ClickedAt.IsZero() {
		details = append(details, "clicked "+m.ClickedAt.UTC().Format(time.RFC3339))
	}
	e.Detail = strings.Join(details, ", ")
	return e
}
