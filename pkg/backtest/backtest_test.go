package backtest_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/rechargeflow/rechargeflow/pkg/backtest"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/quiethours"
	"github.com/rechargeflow/rechargeflow/pkg/reason"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/texts"
)

// trigger is a line of a case: after how long the trigger or revocation arrived, and what it is about.
type trigger struct {
	After   string
	Flow    flow.Key
	Item    string
	Phone   *string
	Revokes bool
}

// options are those of the flow charge_failed. beginning is that of the time that counts.
func options(t *testing.T, quiet bool) backtest.Options {
	t.Helper()
	zones, err := quiethours.NewFinder("America/New_York", "US")
	require.NoError(t, err)
	ways := sending.Default()
	ways.TextsPerDay = 3
	return backtest.Options{
		Store: "acme", Flow: flow.ChargeFailed, Since: beginning(), Examples: 1,
		MayText: func(_ string, at time.Time) (reason.Reason, bool) { // the number opts out after 10 days
			if at.After(beginning().AddDate(0, 0, 10)) {
				return reason.OptedOut, false
			}
			return "", true
		},
		Texts: texts.Store{
			Shop: flow.Shop{Name: "Acme"}, DefaultRegion: "US", Zones: zones, Lease: time.Minute,
			Sending: func() sending.Settings { return ways },
			Flow: func(key flow.Key) flow.Flow {
				return flow.Flow{Key: key, Text: "{{ shop_name }}: your payment failed.", Active: key != flow.OrderSkipped, QuietHours: quiet && key == flow.ChargeFailed, Window: time.Minute, DailyCap: true}
			},
		},
	}
}

// beginning is 8 o'clock in New York.
func beginning() time.Time { return time.Date(2026, 3, 2, 13, 0, 0, 0, time.UTC) }

func arrivals(t *testing.T, lines []byte) (all []backtest.Arrival) {
	t.Helper()
	var list []trigger
	require.NoError(t, json.Unmarshal(lines, &list))
	for i, each := range list {
		after, err := time.ParseDuration(each.After)
		require.NoError(t, err)
		at := beginning().Add(after)
		if each.Revokes {
			all = append(all, backtest.Arrival{At: at, Revocation: &subscriber.Revocation{Store: "acme", RechargeCustomerID: "42", Flows: []flow.Key{each.Flow}, Items: []string{each.Item}, OccurredAt: at}})
			continue
		}
		phone := "+15005550100"
		if each.Phone != nil {
			phone = *each.Phone
		}
		one := &subscriber.Trigger{
			ID: fmt.Sprint(i), Store: "acme", Flow: each.Flow, Cause: string(each.Flow) + each.Item, RechargeCustomerID: "42", OccurredAt: at, StaleAt: at.Add(48 * time.Hour),
			Items: []string{each.Item}, Recipient: subscriber.Recipient{Phone: phone},
		}
		if id, is := charge(each.Item); is {
			one.Charge = &subscriber.Charge{ID: id}
		}
		all = append(all, backtest.Arrival{At: at, Trigger: one})
	}
	return all
}

func charge(item string) (id string, is bool) {
	_, err := fmt.Sscanf(item, "charge/%s", &id)
	return id, err == nil
}

// Each file of testdata has the triggers of one customer, as a list, and the report without and, if there is one, with quiet hours.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			require.NoError(t, err)
			for _, part := range archive.Files[1:] {
				report, err := backtest.Play(options(t, part.Name == "quiet.json"), arrivals(t, archive.Files[0].Data))
				require.NoError(t, err)
				got, err := json.MarshalIndent(summary(report), "", "  ")
				require.NoError(t, err)
				assert.Equal(t, string(part.Data), string(got)+"\n", part.Name)
			}
		})
	}
}

// summary is a report without what is zero.
func summary(r *backtest.Report) map[string]any {
	hours := map[string]int{}
	for hour, n := range r.Hours {
		if n > 0 {
			hours[fmt.Sprintf("%02d", hour)] = n
		}
	}
	examples := []string{}
	for _, e := range r.Examples {
		examples = append(examples, fmt.Sprintf("%s%s %s", e.Kind, e.Reason, e.TriggeredAt.Sub(beginning())))
	}
	all := map[string]any{
		"triggers": r.Triggers, "merged": r.Merged, "absorbed": r.Absorbed, "absorbs": r.Absorbs, "planned": r.Planned, "deferred": r.Deferred,
		"suppressed": r.Suppressed, "texts": r.Texts, "people": r.People, "hours": hours, "parts": r.Parts, "unreadable": r.Unreadable, "examples": examples,
	}
	for name, value := range all {
		if encoded, _ := json.Marshal(value); string(encoded) == "0" || string(encoded) == "{}" {
			delete(all, name)
		}
	}
	return all
}

// With HideNames an example is the same whatever the customer is called: a condition in the text can't ask for the name.
func TestExampleHidesNames(t *testing.T) {
	const text = `{% if first_name == "Jonathan" %}{{ product_title }}{% else %}no{% endif %}`
	play := func(name string, hide bool) *backtest.Report {
		o := options(t, false)
		o.HideNames = hide
		o.Texts.Flow = func(key flow.Key) flow.Flow {
			return flow.Flow{Key: key, Text: text, Active: true, Window: time.Minute}
		}
		report, err := backtest.Play(o, []backtest.Arrival{{At: beginning(), Trigger: &subscriber.Trigger{
			ID: "t", Store: "acme", Flow: flow.ChargeFailed, Cause: "cause", RechargeCustomerID: "42", OccurredAt: beginning(), StaleAt: beginning().Add(time.Hour),
			Items: []string{"charge/1"}, Recipient: subscriber.Recipient{Phone: "+15005550100", FirstName: name},
			Charge: &subscriber.Charge{ID: "1", Items: []subscriber.Item{{Title: strings.Repeat("coffee ", 50)}}},
		}}})
		require.NoError(t, err)
		require.Len(t, report.Examples, 1)
		return report
	}
	assert.Equal(t, play("Jennifer", true).Examples, play("Jonathan", true).Examples)
	assert.Equal(t, 1, play("Jonathan", true).Examples[0].Parts)
	assert.Equal(t, 3, play("Jonathan", true).Parts, "what is billed is that of the text itself")
	assert.Equal(t, 3, play("Jonathan", false).Examples[0].Parts)
}
