package consent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// Topic returns recharge.consent, under its full name, as rows of changes.
func Topic(name string) settings.Topic[Change] {
	return settings.Topic[Change]{Name: name, Decode: func(_ string, value []byte) (Change, error) { return Decode(value) }}
}

// Rows are all changes.
type Rows = settings.Rows[Change]

// History returns the changes of a number in E.164 without repetitions, newest first: the first one holds.
func History(rows *Rows, store, number string) (history []Change) {
	for _, change := range decisions(rows.Prefix(Prefix(store, number))) {
		history = append(history, change)
	}
	slices.Reverse(history)
	return history
}

// Table knows whom the stores may text. It follows recharge.consent by less than a second, and may be used by many goroutines. It has
// about 150 bytes of memory per change.
type Table struct {
	modes map[string]Mode
	rows  *settings.Table[Status]
}

// NewTable returns a table of the topic recharge.consent, under its full name. modes are those of the stores by name.
func NewTable(topic string, modes map[string]Mode, log *zap.Logger) *Table {
	return &Table{modes: modes, rows: settings.NewTable(settings.Topic[Status]{Name: topic, Decode: statusOf}, log)}
}

// statusOf returns the status of a row. The key has it: a value that this version can't read counts, too.
func statusOf(key string, _ []byte) (Status, error) {
	status := Status(partOf(key, partStatus))
	if status != OptedIn && status != OptedOut {
		return "", errors.New("the key has no status")
	}
	return status, nil
}

// Run follows the topic until ctx ends, as settings.Table does. Call it once.
func (t *Table) Run(ctx context.Context, cluster kafka.Cluster) error {
	return t.rows.Run(ctx, cluster)
}

// Ready returns a channel that is closed when the topic was read to its end. No text may be claimed before.
func (t *Table) Ready() <-chan struct{} { return t.rows.Ready() }

// maxAge is how old decisions may be that are not known, for a text to be claimed.
const maxAge = 3 * time.Second

// IsCurrent reports whether all decisions are known that were made more than 3 seconds ago. It is false while a broker can't be reached that has a part of
// the topic. No text may be claimed then: another broker may have stored a STOP.
func (t *Table) IsCurrent() bool { return t.rows.IsCurrent(maxAge) }

// MayText reports whether a store may text a number in E.164. If not it returns why: reason.OptedOut, reason.NotOptedIn, or
// reason.ConsentUnknown while the table is not ready, which is no reason to suppress a text: ask again. Call it when a text is due, right
// before it is claimed.
func (t *Table) MayText(store, number string) (reason.Reason, bool) {
	if !t.rows.IsReady() {
		return reason.ConsentUnknown, false
	}
	return t.modes[store].May(t.Status(store, number))
}

// Status returns what is known of a store's number in E.164, "" for nothing.
func (t *Table) Status(store, number string) (known Status) {
	for _, status := range decisions(t.rows.Rows().Prefix(Prefix(store, number))) {
		known = status // the last one holds
	}
	return known
}

// Count returns how many numbers of a store have opted in and out. It looks at all of its changes.
func (t *Table) Count(store string) (optedIn, optedOut int) {
	counts := map[Status]int{}
	var number string
	var known Status
	for key, status := range decisions(t.rows.Rows().Prefix(store + "/")) {
		if !strings.HasPrefix(key, number) || number == "" {
			counts[known]++
			number = numberOf(key)
		}
		known = status
	}
	counts[known]++
	return counts[OptedIn], counts[OptedOut]
}
