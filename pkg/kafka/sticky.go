package kafka

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/segmentio/kafka-go"
)

// sticky assigns partition numbers, each with that partition of every topic, and leaves a member what it had as far as
// that is fair. It is kafka-go's GroupBalancer; its user data is what the member had last.
type sticky struct {
	mutex sync.Mutex
	had   claim
}

// claim is what a member had in a generation.
type claim struct {
	Generation int32 `json:"generation"`
	Numbers    []int `json:"numbers"`
}

// ProtocolName must be the same for all members.
func (*sticky) ProtocolName() string { return "rechargeflow-sticky" }

// UserData is asked for at each join.
func (s *sticky) UserData() ([]byte, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return json.Marshal(s.had)
}

func (s *sticky) remember(generation int32, numbers []int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.had = claim{Generation: generation, Numbers: numbers}
}

// AssignGroups runs in the member that the group made its leader.
func (*sticky) AssignGroups(members []kafka.GroupMember, partitions []kafka.Partition) kafka.GroupMemberAssignments {
	topics := make(map[int][]string)
	for _, p := range partitions {
		topics[p.ID] = append(topics[p.ID], p.Topic)
	}
	claims, wants := make(map[string]claim), make(map[string][]string)
	for _, m := range members {
		wants[m.ID] = m.Topics
		var c claim
		_ = json.Unmarshal(m.UserData, &c) // without a claim a member gets what is left
		claims[m.ID] = c
	}
	assigned := make(kafka.GroupMemberAssignments)
	for member, numbers := range share(slices.Sorted(maps.Keys(topics)), claims) {
		assigned[member] = make(map[string][]int)
		for _, number := range numbers {
			for _, topic := range topics[number] {
				if slices.Contains(wants[member], topic) { // members of another version read others: nobody reads those then
					assigned[member][topic] = append(assigned[member][topic], number)
				}
			}
		}
	}
	return assigned
}

// share gives each member its fair part of the numbers: no two parts differ by more than one. Members keep what they
// claim, the newest generation's claim first, up to their part.
func share(numbers []int, claims map[string]claim) map[string][]int {
	members := slices.SortedFunc(maps.Keys(claims), byClaim(claims))
	free := make(map[int]bool)
	for _, number := range numbers {
		free[number] = true
	}
	parts, room := make(map[string][]int), make(map[string]int)
	for i, member := range members {
		room[member] = partOf(i, len(members), len(numbers))
		for _, number := range slices.Sorted(slices.Values(claims[member].Numbers)) {
			if free[number] && len(parts[member]) < room[member] {
				parts[member] = append(parts[member], number)
				delete(free, number)
			}
		}
	}
	left := slices.Sorted(maps.Keys(free))
	for _, member := range members {
		take := min(len(left), room[member]-len(parts[member]))
		parts[member] = slices.Sorted(slices.Values(append(parts[member], left[:take]...)))
		left = left[take:]
	}
	return parts
}

// partOf is how many numbers the i-th member gets; the first ones get one more where it doesn't come out even.
func partOf(i, members, numbers int) int {
	part := numbers / members
	if i < numbers%members {
		part++
	}
	return part
}

// byClaim puts the newest claims first, then the largest: who had most keeps the odd one.
func byClaim(claims map[string]claim) func(a, b string) int {
	return func(a, b string) int {
		return cmp.Or(
			cmp.Compare(claims[b].Generation, claims[a].Generation),
			cmp.Compare(len(claims[b].Numbers), len(claims[a].Numbers)),
			cmp.Compare(a, b),
		)
	}
}
