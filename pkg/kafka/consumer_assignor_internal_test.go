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

// checkedAssign calls assign and checks what holds whatever members owned.
func checkedAssign(t *rapid.T, numbers int, owned map[string]ownedPartitions) map[string][]int {
	all := make([]int, numbers)
	for i := range all {
		all[i] = i
	}
	assigned := assign(all, owned)
	var given []int
	minCount, maxCount := numbers, 0
	for member := range owned {
		given = append(given, assigned[member]...)
		minCount, maxCount = min(minCount, len(assigned[member])), max(maxCount, len(assigned[member]))
	}
	slices.Sort(given)
	if len(owned) > 0 {
		assert.Equal(t, all, append([]int{}, given...), "each number has one owner")
		assert.LessOrEqual(t, maxCount-minCount, 1, "assignment is balanced")
	}
	assert.Len(t, assigned, len(owned), "every member is assigned")
	return assigned
}

// TestAssignIsBalanced: whatever members owned, each number is assigned once and evenly.
func TestAssignIsBalanced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		owned := rapid.MapOfN(rapid.StringN(1, 3, -1), rapid.Custom(func(t *rapid.T) ownedPartitions {
			return ownedPartitions{Generation: rapid.Int32().Draw(t, "generation"), Numbers: rapid.SliceOf(rapid.IntRange(-5, 60)).Draw(t, "numbers")}
		}), 0, 15).Draw(t, "owned")
		checkedAssign(t, rapid.IntRange(0, 50).Draw(t, "numbers"), owned)
	})
}

// TestAssignIsSticky: when members join or leave, no more numbers move than balance requires.
func TestAssignIsSticky(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.IntRange(1, 50).Draw(t, "numbers")
		owned := map[string]ownedPartitions{"m0": {}}
		born, generation := 1, int32(0)
		for range rapid.IntRange(1, 15).Draw(t, "rebalances") {
			before := maps.Clone(owned)
			switch members := slices.Sorted(maps.Keys(owned)); rapid.SampledFrom([]string{"join", "leave", "stay"}).Draw(t, "what") {
			case "join":
				owned[fmt.Sprint("m", born)] = ownedPartitions{}
				born++
			case "leave":
				if len(members) > 1 {
					delete(owned, rapid.SampledFrom(members).Draw(t, "who"))
				}
			}
			assigned := checkedAssign(t, numbers, owned)
			moved, must := 0, numbers
			for member := range owned {
				for _, number := range assigned[member] {
					if !slices.Contains(before[member].Numbers, number) {
						moved++
					}
				}
			}
			must -= keepable(numbers, owned)
			assert.Equal(t, must, moved, "%d numbers, %v became %v", numbers, before, assigned)
			generation++
			for member := range owned {
				owned[member] = ownedPartitions{Generation: generation, Numbers: assigned[member]}
			}
		}
	})
}

// keepable returns how many numbers can stay: each member keeps at most its quota, and those that owned most keep the odd ones.
func keepable(numbers int, owned map[string]ownedPartitions) int {
	var sizes []int
	for _, c := range owned {
		sizes = append(sizes, len(c.Numbers))
	}
	slices.SortFunc(sizes, func(a, b int) int { return b - a })
	kept := 0
	for i, size := range sizes {
		kept += min(size, quota(i, len(sizes), numbers))
	}
	return kept
}

// TestAssignPrefersNewGeneration: of two members that owned the same number the newer one keeps it.
func TestAssignPrefersNewGeneration(t *testing.T) {
	assigned := assign([]int{0, 1, 2, 3}, map[string]ownedPartitions{
		"zombie": {Generation: 4, Numbers: []int{0, 1, 2, 3}},
		"owner":  {Generation: 5, Numbers: []int{2, 3}},
	})
	assert.Equal(t, map[string][]int{"owner": {2, 3}, "zombie": {0, 1}}, assigned)
}

// member returns a member that joins with the user data of its assignor.
func member(t *testing.T, id string, a *stickyAssignor, topics ...string) kafka.GroupMember {
	t.Helper()
	data, err := a.UserData()
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

// TestAssignGroupsCopartitions: a member gets the same numbers of all topics, also if one has fewer partitions, and whatever
// the user data are.
func TestAssignGroupsCopartitions(t *testing.T) {
	last := &stickyAssignor{}
	last.setLast(3, []int{1, 3})
	members := []kafka.GroupMember{
		member(t, "a", &stickyAssignor{}, "x", "y"), member(t, "b", last, "x", "y"),
		{ID: "c", Topics: []string{"x", "y"}, UserData: []byte("\xff{not json")},
		{ID: "d", Topics: []string{"x", "y"}, UserData: []byte(`{"numbers":"all"}`)},
	}
	got := (&stickyAssignor{}).AssignGroups(members, partitionsOf(map[string]int{"x": 8, "y": 6}))
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

// TestAssignGroupsSubscriptions: a member is assigned only topics that it subscribes to, during an upgrade that adds a topic.
func TestAssignGroupsSubscriptions(t *testing.T) {
	got := (&stickyAssignor{}).AssignGroups([]kafka.GroupMember{member(t, "new", &stickyAssignor{}, "x", "y"), member(t, "old", &stickyAssignor{}, "x")},
		partitionsOf(map[string]int{"x": 4, "y": 4}))
	assert.Len(t, got["new"]["x"], 2)
	assert.Equal(t, got["new"]["x"], got["new"]["y"])
	assert.Len(t, got["old"]["x"], 2)
	assert.Empty(t, got["old"]["y"])
}
