package kafka

import (
	"encoding/json"
	"time"
)

// MemberInfo is what a member of a consumer group shows of its process to whoever may describe the group. It is in the user data that
// the member joins with, which brokers keep as long as it is a member: so it needs no topic and no right, it goes with its process, and the client
// id, to which quotas and logs refer, stays as configured.
type MemberInfo struct {
	// Version is that of the program.
	Version string `json:"version,omitempty"`
	// Configuration is a hash of what members must have in common.
	Configuration string `json:"configuration,omitempty"`
	// Started is when the process started.
	Started time.Time `json:"started,omitzero"`
}

// ReadMemberInfo reads the user data of a member. It returns false if these are not those of a Consumer: of another program, or none. A Consumer
// without ConsumerConfig.Info has the zero MemberInfo.
func ReadMemberInfo(userData []byte) (MemberInfo, bool) {
	var data memberData
	if json.Unmarshal(userData, &data) != nil || data.Generation == nil {
		return MemberInfo{}, false
	}
	return data.MemberInfo, true
}

// memberData is the user data of a member, with what its assignor needs to know.
type memberData struct {
	MemberInfo

	Generation *int32 `json:"generation"`
	Numbers    []int  `json:"numbers"`
}
