package story_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// journal follows recharge.messages.
type journal struct {
	mutex sync.Mutex
	// texts are those of a customer, "{store}/{customer}", in the order of their first change.
	texts map[string][]text
}

// text is the changes of a text, oldest first.
type text []message.Change

func (t text) last() message.Change { return t[len(t)-1] }

// newJournal follows the topic until the test ends. While the broker is down it has what was read before.
func newJournal(t *testing.T, l *lab.Lab) *journal {
	t.Helper()
	j, ctx, ended := &journal{}, t.Context(), make(chan struct{})
	t.Cleanup(func() { <-ended }) // t.Context ends before
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			j.read(ctx, l)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return j
}

func (j *journal) read(ctx context.Context, l *lab.Lab) {
	records, err := kafkatest.ReadAll(ctx, cluster(l), topology.Topics{Prefix: l.Prefix}.Messages())
	if err != nil {
		return
	}
	texts := map[string][]text{}
	for _, record := range records {
		var change message.Change
		if json.Unmarshal(record.Value, &change) != nil {
			continue // checkSchemas finds it
		}
		key := change.Store + "/" + change.RechargeCustomerID
		at := slices.IndexFunc(texts[key], func(t text) bool { return t[0].ID == change.ID })
		if at < 0 {
			texts[key] = append(texts[key], nil)
			at = len(texts[key]) - 1
		}
		texts[key][at] = append(texts[key][at], change)
	}
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.texts = texts
}

// of returns the texts of a customer.
func (j *journal) of(store, customer string) []text {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return j.texts[store+"/"+customer]
}

// all returns the texts of a store.
func (j *journal) all(store string) (all []text) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	for _, key := range slices.Sorted(maps.Keys(j.texts)) {
		if strings.HasPrefix(key, store+"/") {
			all = append(all, j.texts[key]...)
		}
	}
	return all
}

// answers returns the answers to replies that asked for help.
func (j *journal) answers(store string) []text {
	return slices.DeleteFunc(j.all(store), func(t text) bool { return t.last().Flow != flow.Help })
}

// attempts counts the claims of a store.
func (j *journal) attempts(store string) (n int) {
	for _, t := range j.all(store) {
		n += t.last().Attempt
	}
	return n
}
