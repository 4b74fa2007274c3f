package kafka

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// shared is what share gives, and what is true of it whatever was claimed.
func shared(t *rapid.T, numbers int, claims map[string]claim) map[string][]int {
	all := make([]int, numbers)
	for i := range all {
		all[i] = i
	}
	parts := share(all, claims)
	var given []int
	least, most := numbers, 0
	for member := range claims {
		given = append(given, parts[member]...)
		least, most = min(least, len(parts[member])), max(most, len(parts[member]))
	}
	slices.Sort(given)
	if len(claims) > 0 {
		assert.Equal(t, all, append([]int{}, given...), "each number has one owner")
		assert.LessOrEqual(t, most-least, 1, "parts are fair")
	}
	assert.Len(t, parts, len(claims), "every member has a part")
	return parts
}

func TestSharesAreFairWhateverIsClaimed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		claims := rapid.MapOfN(rapid.StringN(1, 3, -1), rapid.Custom(func(t *rapid.T) claim {
			return claim{Generation: rapid.Int32().Draw(t, "generation"), Numbers: rapid.SliceOf(rapid.IntRange(-5, 60)).Draw(t, "numbers")}
		}), 0, 15).Draw(t, "claims")
		shared(t, rapid.IntRange(0, 50).Draw(t, "numbers"), claims)
	})
}

// TestMembersKeepWhatTheyHad: when members join or leave, no more numbers change hands than fairness asks for.
func TestMembersKeepWhatTheyHad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.IntRange(1, 50).Draw(t, "numbers")
		claims := map[string]claim{"m0": {}}
		born, generation := 1, int32(0)
		for range rapid.IntRange(1, 15).Draw(t, "rebalances") {
			before := maps.Clone(claims)
			switch members := slices.Sorted(maps.Keys(claims)); rapid.SampledFrom([]string{"join", "leave", "stay"}).Draw(t, "what") {
			case "join":
				claims[fmt.Sprint("m", born)] = claim{}
				born++
			case "leave":
				if len(members) > 1 {
					delete(claims, rapid.SampledFrom(members).Draw(t, "who"))
				}
			}
			parts := shared(t, numbers, claims)
			moved, must := 0, numbers
			for member := range claims {
				for _, number := range parts[member] {
					if !slices.Contains(before[member].Numbers, number) {
						moved++
					}
				}
			}
			must -= keepable(numbers, claims)
			assert.Equal(t, must, moved, "%d numbers, %v became %v", numbers, before, parts)
			generation++
			for member := range claims {
				claims[member] = claim{Generation: generation, Numbers: parts[member]}
			}
		}
	})
}

// keepable is how many numbers can stay where they are: each member keeps its fair part at most, and those who have most
// keep the odd ones.
func keepable(numbers int, claims map[string]claim) int {
	var sizes []int
	for _, c := range claims {
		sizes = append(sizes, len(c.Numbers))
	}
	slices.SortFunc(sizes, func(a, b int) int { return b - a })
	kept := 0
	for i, size := range sizes {
		kept += min(size, partOf(i, len(sizes), numbers))
	}
	return kept
}

func TestAClaimIsNotBelievedTwice(t *testing.T) {
	parts := share([]int{0, 1, 2, 3}, map[string]claim{
		"zombie": {Generation: 4, Numbers: []int{0, 1, 2, 3}},
		"owner":  {Generation: 5, Numbers: []int{2, 3}},
	})
	assert.Equal(t, map[string][]int{"owner": {2, 3}, "zombie": {0, 1}}, parts)
}

// member joins as kafka-go has it do: with what it had last.
func member(t *testing.T, id string, had *sticky, topics ...string) kafka.GroupMember {
	t.Helper()
	data, err := had.UserData()
	require.NoError(t, err)
	return kafka.GroupMember{ID: id, Topics: topics, UserData: data}
}

func partitionsOf(topics map[string]int) (all []kafka.Partition) {
	for topic, count := range topics {
		for id := range count {
			all = append(all, kafka.Partition{Topic: topic, ID: id})
		}
	}
	return all
}

// TestTopicsOfANumberStayTogether: also where one has fewer partitions, and whatever user data say.
func TestTopicsOfANumberStayTogether(t *testing.T) {
	had := &sticky{}
	had.remember(3, []int{1, 3})
	members := []kafka.GroupMember{
		member(t, "a", &sticky{}, "x", "y"), member(t, "b", had, "x", "y"),
		{ID: "c", Topics: []string{"x", "y"}, UserData: []byte("\xff{not json")},
		{ID: "d", Topics: []string{"x", "y"}, UserData: []byte(`{"numbers":"all"}`)},
	}
	got := (&sticky{}).AssignGroups(members, partitionsOf(map[string]int{"x": 8, "y": 6}))
	assert.Contains(t, got["b"]["x"], 1)
	assert.Contains(t, got["b"]["x"], 3)
	assert.Len(t, got, 4)
	for id, assigned := range got {
		assert.Len(t, assigned["x"], 2, id)
		for _, number := range assigned["x"] {
			assert.Equal(t, number < 6, slices.Contains(assigned["y"], number), "%s has %v", id, assigned)
		}
	}
}

// TestAMemberGetsOnlyItsTopics: while members with another topic come, those without it work on.
func TestAMemberGetsOnlyItsTopics(t *testing.T) {
	got := (&sticky{}).AssignGroups([]kafka.GroupMember{member(t, "new", &sticky{}, "x", "y"), member(t, "old", &sticky{}, "x")},
		partitionsOf(map[string]int{"x": 4, "y": 4}))
	assert.Len(t, got["new"]["x"], 2)
	assert.Equal(t, got["new"]["x"], got["new"]["y"])
	assert.Len(t, got["old"]["x"], 2)
	assert.Empty(t, got["old"]["y"])
}
