package histories_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/test/histories"
)

func shop(recorded bool) histories.Shop {
	return histories.Shop{Seed: 7, Now: noon, Recorded: recorded, Duplicates: histories.Duplicates{Same: 0.04, Other: 0.03, Late: 0.1}}
}

// The histories of a shop contain each topic, kind and version often enough.
func TestHistoriesAreOfEachKind(t *testing.T) {
	topics, kinds, versions, duplicates, otherBytes := map[recharge.Topic]int{}, map[histories.Kind]int{}, map[recharge.Version]int{}, 0, 0
	for n := range 500 {
		h := shop(false).History(n)
		kinds[h.Kind]++
		versions[h.Version]++
		known := map[string]bool{}
		for _, burst := range h.Bursts {
			last := noon.AddDate(-1, 0, 0)
			for _, d := range burst {
				topics[d.Topic]++
				body := string(d.Body())
				if known[string(d.Topic)+body] {
					duplicates++
				}
				if strings.Contains(body, "metafields") {
					otherBytes++
				}
				known[string(d.Topic)+body] = true
				assert.True(t, d.Received.After(last) && d.Received.Before(noon))
				last = d.Received
			}
		}
		require.LessOrEqual(t, len(h.Bursts), histories.MaxBursts)
		assert.Equal(t, h.Bursts, shop(false).History(n).Bursts, "equal seeds")
	}
	assert.Len(t, kinds, 7)
	assert.InDelta(t, 250, versions[recharge.Version202101], 60)
	for topic, times := range topics {
		assert.Greater(t, times, 5, topic)
	}
	assert.ElementsMatch(t, append(slices.Collect(maps.Keys(topics)), "order/created", "order/success"), append(histories.RecordedTopics(), histories.AssumedTopics()...))
	assert.Greater(t, duplicates, 150)
	assert.Greater(t, otherBytes, 100)
}

func TestDisorderDelaysAndDuplicatesRepeat(t *testing.T) {
	burst := (histories.Customer{Number: 7, Items: 4, Included: true}).Burst(histories.FirstCheckout, noon)
	shuffled := histories.Disorder(dice(), time.Second, burst)
	assert.Equal(t, shuffled, histories.Disorder(dice(), time.Second, burst), "reproducible")
	assert.NotEqual(t, early(burst), early(shuffled))
	assert.Len(t, shuffled, len(burst))
	offsets := map[string][]time.Duration{}
	for _, d := range burst {
		offsets[string(d.Topic)+string(d.Body())] = append(offsets[string(d.Topic)+string(d.Body())], d.Offset)
	}
	for i, d := range shuffled {
		before := offsets[string(d.Topic)+string(d.Body())]
		require.NotEmpty(t, before)
		assert.GreaterOrEqual(t, d.Offset, before[0], "none before its time")
		assert.Less(t, d.Offset, before[len(before)-1]+time.Second)
		if i > 0 {
			assert.GreaterOrEqual(t, d.Offset, shuffled[i-1].Offset)
		}
	}
	assert.Equal(t, burst, (histories.Customer{Number: 7, Items: 4, Included: true}).Burst(histories.FirstCheckout, noon), "the burst itself is unchanged")

	half := histories.Duplicates{Same: 0.5}
	doubled := half.Add(dice(), time.Minute, burst)
	assert.Equal(t, doubled, half.Add(dice(), time.Minute, burst))
	assert.InDelta(t, 1.5*float64(len(burst)), len(doubled), 8)
	assert.Len(t, histories.Duplicates{}.Add(dice(), time.Minute, burst), len(burst))
	for _, d := range doubled {
		assert.Contains(t, offsets, string(d.Topic)+string(d.Body()), "the same bytes")
	}
	for _, d := range (histories.Duplicates{Other: 1}).Add(dice(), time.Minute, burst)[1:2] {
		assert.True(t, json.Valid(d.Body()))
	}
}

func dice() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }
