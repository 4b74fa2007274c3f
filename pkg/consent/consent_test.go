package consent_test

import (
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
)

const number = "+14155552671"

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// change returns a valid change of the store acme.
func change(t *testing.T, number string, status consent.Status, at time.Time) consent.Change {
	t.Helper()
	c, err := consent.New(consent.Change{Store: "acme", Number: number, Status: status, At: at, By: consent.ByOperator})
	require.NoError(t, err)
	return c
}

// The key is part of the topic's format: it must not change. It has no number.
func TestKeyGolden(t *testing.T) {
	assert.Equal(t, "acme/b49e3f63e8540e2697231489a01c0e60/1777896000000/opted_out", change(t, number, consent.OptedOut, noon).Key())
}

// Numbers, times and details have one form, so that a change that is written twice has one key.
func TestNew(t *testing.T) {
	east := time.FixedZone("", 2*60*60)
	c, err := consent.New(consent.Change{
		Store: "acme", Number: " +1 (415) 555-2671 ", Status: consent.OptedIn, At: noon.Add(1234567 * time.Nanosecond).In(east),
		By: consent.ByImport, Detail: strings.Repeat("é", 101),
	})
	require.NoError(t, err)
	assert.Equal(t, consent.Change{
		Store: "acme", Number: number, Status: consent.OptedIn, At: noon.Add(time.Millisecond), By: consent.ByImport, Detail: strings.Repeat("é", 100),
	}, c)
	mexican := change(t, "+52 1 55 1234 5678", consent.OptedOut, noon)
	assert.Equal(t, change(t, "+525512345678", consent.OptedOut, noon), mexican)
}

func TestNewRefuses(t *testing.T) {
	valid := consent.Change{Store: "acme", Number: number, Status: consent.OptedIn, At: noon, By: consent.ByOperator}
	for why, spoil := range map[string]func(*consent.Change){
		"no number":         func(c *consent.Change) { c.Number = "" },
		"no country code":   func(c *consent.Change) { c.Number = "4155552671" },
		"not a number":      func(c *consent.Change) { c.Number = "+hello" },
		"no store":          func(c *consent.Change) { c.Store = "" },
		"unknown status":    func(c *consent.Change) { c.Status = "maybe" },
		"no time":           func(c *consent.Change) { c.At = time.Time{} },
		"time in the far":   func(c *consent.Change) { c.At = noon.AddDate(500, 0, 0) },
		"nothing it is by":  func(c *consent.Change) { c.By = "" },
		"unknown source":    func(c *consent.Change) { c.By = "rumour" },
		"number in a digit": func(c *consent.Change) { c.Number = "+1" },
	} {
		t.Run(why, func(t *testing.T) {
			spoilt := valid
			spoil(&spoilt)
			_, err := consent.New(spoilt)
			require.ErrorIs(t, err, consent.ErrChange)
			assert.NotContains(t, err.Error(), "415555")
		})
	}
}

func TestDecodeQuotesNothing(t *testing.T) {
	for _, value := range []string{"", "null", `{"number":"+14155552671","at":7}`, `"+14155552671"`} {
		_, err := consent.Decode([]byte(value))
		require.ErrorIs(t, err, consent.ErrChange)
		assert.NotContains(t, err.Error(), "4155552671")
	}
}

func TestModes(t *testing.T) {
	for _, tt := range []struct {
		mode  consent.Mode
		known consent.Status
		why   reason.Reason
	}{
		{consent.ModeOptOut, "", ""},
		{consent.ModeOptOut, consent.OptedIn, ""},
		{consent.ModeOptOut, consent.OptedOut, reason.OptedOut},
		{consent.ModeOptIn, "", reason.NotOptedIn},
		{consent.ModeOptIn, consent.OptedIn, ""},
		{consent.ModeOptIn, consent.OptedOut, reason.OptedOut},
		{consent.ModeDestination, "", ""},
		{consent.ModeDestination, consent.OptedIn, ""},
		{consent.ModeDestination, consent.OptedOut, reason.OptedOut},
	} {
		why, may := tt.mode.May(tt.known)
		assert.Equal(t, tt.why, why, "%s %s", tt.mode, tt.known)
		assert.Equal(t, tt.why == "", may, "%s %s", tt.mode, tt.known)
	}
}

// One store's number has other keys than the same number of another store, and than another number.
func TestKeysAreOfOneStoreAndNumber(t *testing.T) {
	prefix := consent.Prefix("acme", number)
	assert.True(t, strings.HasPrefix(change(t, number, consent.OptedIn, noon).Key(), prefix))
	assert.False(t, strings.HasPrefix(consent.Prefix("beta", number), prefix))
	assert.False(t, strings.HasPrefix(consent.Prefix("acme", number+"1"), prefix))
}

// The newest change by source time holds, in whatever order and however often the changes come. On a tie the number is opted out.
func TestOrderMakesNoDifference(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		numbers := []string{number, "+14155552672", "+447911123456"}
		rows, want := map[string]consent.Change{}, map[string]consent.Change{}
		for range 1 + random.IntN(12) {
			c := change(t, numbers[random.IntN(3)], []consent.Status{consent.OptedIn, consent.OptedOut}[random.IntN(2)],
				noon.Add(time.Duration(random.IntN(5))*time.Second))
			rows[c.Key()] = c
			known, found := want[c.Number]
			if !found || c.At.After(known.At) || c.At.Equal(known.At) && c.Status == consent.OptedOut {
				want[c.Number] = c
			}
		}
		got := map[string]consent.Change{}
		for _, c := range consent.Newest(sorted(rows)) {
			assert.NotContains(t, got, c.Number)
			got[c.Number] = c
		}
		assert.Equal(t, want, got, "seed %d", seed)
	}
}

// sorted yields rows as a table does.
func sorted(rows map[string]consent.Change) iter.Seq2[string, consent.Change] {
	return func(yield func(string, consent.Change) bool) {
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			if !yield(key, rows[key]) {
				return
			}
		}
	}
}

func ExampleMode_Explain() {
	for _, mode := range []consent.Mode{consent.ModeOptOut, consent.ModeOptIn, consent.ModeDestination} {
		fmt.Printf("%s: texts %s\n", mode, mode.Explain())
	}
	// Output:
	// opt_out: texts numbers that have not opted out
	// opt_in: texts only numbers that have opted in
	// destination: texts numbers that the destination lets it text, except known opt-outs
}

// A source without times tells of an event again at a later time: that changes nothing, in whatever order the rows are written.
func TestRepetitionsOfAnEvent(t *testing.T) {
	event := func(id string, status consent.Status, at time.Time) consent.Change {
		c := change(t, number, status, at)
		c.Event = id
		return c
	}
	rows := map[string]consent.Change{}
	for _, c := range []consent.Change{
		event("SM1", consent.OptedIn, noon), event("SM2", consent.OptedOut, noon.Add(time.Second)), event("SM1", consent.OptedIn, noon.Add(2*time.Second)),
		event("SM1", consent.OptedIn, noon.Add(3*time.Second)),
	} {
		rows[c.Key()] = c
	}
	require.Len(t, rows, 4)
	newest := consent.Newest(sorted(rows))
	require.Len(t, newest, 1)
	assert.Equal(t, consent.OptedOut, newest[0].Status)

	again := event("SM3", consent.OptedIn, noon.Add(4*time.Second))
	rows[again.Key()] = again
	other := event("SM1", consent.OptedIn, noon.Add(5*time.Second))
	other.Number = "+447911123456"
	rows[other.Key()] = other
	newest = consent.Newest(sorted(rows))
	require.Len(t, newest, 2)
	assert.Equal(t, []consent.Status{consent.OptedIn, consent.OptedIn}, []consent.Status{newest[0].Status, newest[1].Status}, "an event of another number is another one")

	long := event(strings.Repeat("x", 201), consent.OptedIn, noon)
	_, err := consent.New(long)
	require.ErrorIs(t, err, consent.ErrChange)
}
