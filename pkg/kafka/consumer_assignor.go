package kafka

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/segmentio/kafka-go"
)

// stickyAssignor assigns partition numbers, each with that partition of every topic. Members keep what they owned as far as
// that is balanced. It is kafka-go's GroupBalancer; its user data is what the member owned last, and about its process.
type stickyAssignor struct {
	info  MemberInfo
	mutex sync.Mutex
	last  ownedPartitions
}

// ownedPartitions is what a member owned in a generation.
type ownedPartitions struct {
	Generation int32 `json:"generation"`
	Numbers    []int `json:"numbers"`
}

// ProtocolName must be the same for all members.
func (*stickyAssignor) ProtocolName() string { return "rechargeflow-sticky" }

// UserData is called at each join.
func (a *stickyAssignor) UserData() ([]byte, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return json.Marshal(memberData{MemberInfo: a.info, Generation: &a.last.Generation, Numbers: a.last.Numbers})
}

func (a *stickyAssignor) setLast(generation int32, numbers []int) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.last = ownedPartitions{Generation: generation, Numbers: numbers}
}

// AssignGroups is called in the group's leader.
func (*stickyAssignor) AssignGroups(members []kafka.GroupMember, partitions []kafka.Partition) kafka.GroupMemberAssignments {
	topics := make(map[int][]string)
	for _, p := range partitions {
		topics[p.ID] = append(topics[p.ID], p.Topic)
	}
	owned, subscribed := make(map[string]ownedPartitions), make(map[string][]string)
	for _, m := range members {
		subscribed[m.ID] = m.Topics
		var last ownedPartitions
		_ = json.Unmarshal(m.UserData, &last) // a member without valid user data owned nothing
		owned[m.ID] = last
	}
	assigned := make(kafka.GroupMemberAssignments)
	for member, numbers := range assign(slices.Sorted(maps.Keys(topics)), owned) {
		assigned[member] = make(map[string][]int)
		for _, number := range numbers {
			for _, topic := range topics[number] {
				// a member of another version may not subscribe to the topic: then nobody reads this partition of it
				if slices.Contains(subscribed[member], topic) {
					assigned[member][topic] = append(assigned[member][topic], number)
				}
			}
		}
	}
	return assigned
}

// assign divides numbers among members so that no two differ by more than one number. Up to their quota members keep what they
// owned; if two owned the same number, the one of the newer generation keeps it.
func assign(numbers []int, owned map[string]ownedPartitions) map[string][]int {
	members := slices.SortedFunc(maps.Keys(owned), compareOwned(owned))
	free := make(map[int]bool)
	for _, number := range numbers {
		free[number] = true
	}
	assigned, quotas := make(map[string][]int), make(map[string]int)
	for i, member := range members {
		quotas[member] = quota(i, len(members), len(numbers))
		for _, number := range slices.Sorted(slices.Values(owned[member].Numbers)) {
			if free[number] && len(assigned[member]) < quotas[member] {
				assigned[member] = append(assigned[member], number)
				delete(free, number)
			}
		}
	}
	left := slices.Sorted(maps.Keys(free))
	for _, member := range members {
		more := min(len(left), quotas[member]-len(assigned[member]))
		assigned[member] = slices.Sorted(slices.Values(append(assigned[member], left[:more]...)))
		left = left[more:]
	}
	return assigned
}

// quota returns how many numbers the i-th member gets. The first members get one more if the numbers can't be divided evenly.
func quota(i, members, numbers int) int {
	n := numbers / members
	if i < numbers%members {
		n++
	}
	return n
}

// compareOwned orders members by generation, newest first, then by how much they owned: a member with most keeps the odd number.
func compareOwned(owned map[string]ownedPartitions) func(a, b string) int {
	return func(a, b string) int {
		return cmp.Or(
			cmp.Compare(owned[b].Generation, owned[a].Generation),
			cmp.Compare(len(owned[b].Numbers), len(owned[a].Numbers)),
			cmp.Compare(a, b),
		)
	}
}
