package service

import (
	"time"
)

// Pipeline is the state of topics and groups.
type Pipeline struct {
	At     time.Time `json:"at"`
	Groups []Group   `json:"groups"`
	Topics []Topic   `json:"topics"`
	// Reading is how far the console has read the topics that it shows.
	Reading Reading `json:"reading"`
}

// Group is a consumer group.
type Group struct {
	Name       string  `json:"name"`
	Role       string  `json:"role"`
	Store      string  `json:"store,omitempty"`
	Records    int64   `json:"records"`     // not processed yet
	LagSeconds float64 `json:"lag_seconds"` // age of the oldest of them
	PerSecond  float64 `json:"per_second"`  // processed, since the reading before
	// Unowned is how many partitions no member has.
	Unowned    int           `json:"unowned"`
	Members    []GroupMember `json:"members"`
	Partitions []Partition   `json:"partitions"`
	// Rebalances is how often the members were other ones, since the console has started.
	Rebalances int `json:"rebalances"`
	// Error is why the group could not be read: then its numbers are not known.
	Error string `json:"error,omitempty"`
}

// GroupMember is a process in a group.
type GroupMember struct {
	ID      string    `json:"id"`
	Host    string    `json:"host"`
	Version string    `json:"version,omitempty"`
	Started time.Time `json:"started,omitzero"`
}

// Partition is a partition that a group reads.
type Partition struct {
	Topic      string  `json:"topic"`
	Partition  int     `json:"partition"`
	Committed  int64   `json:"committed"` // -1 for never
	End        int64   `json:"end"`
	Records    int64   `json:"records"`
	LagSeconds float64 `json:"lag_seconds"`
	Member     string  `json:"member,omitempty"`
}

// Topic is a topic of the pipeline.
type Topic struct {
	Name       string  `json:"name"`
	Partitions int     `json:"partitions"`
	First      int64   `json:"first"`      // sum of the first offsets
	End        int64   `json:"end"`        // sum of the end offsets
	Records    int64   `json:"records"`    // offsets from first to end; a compacted topic has fewer records
	PerSecond  float64 `json:"per_second"` // written, since the reading before
	Policy     string  `json:"policy"`     // delete or compact
	Retention  string  `json:"retention,omitempty"`
	Error      string  `json:"error,omitempty"` // why it could not be read
	// Unshown is why the console does not show what is new in the topic; "" if it does.
	Unshown string `json:"unshown,omitempty"`
}
