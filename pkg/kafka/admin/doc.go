// Package admin manages the topics of a Kafka cluster and reports how far consumer groups are behind.
//
//	topics.go        Spec, the topics of a topics file
//	plan.go          Plan, which compares the topics of a cluster with a Spec
//	apply.go         Apply, which creates topics and changes settings
//	check.go         Check, whether brokers and topics meet a process's requirements
//	inspect.go       Inspect, what is wrong with topics while a process runs
//	versions.go      the versions of requests that brokers must support
//	topic_exists.go  TopicExists and TopicWritable
//	rights.go        topics, settings and rights, as Check and Inspect compare them
//	lag.go           LagReader, the lag of groups in records and time
//	lag_members.go   the group members that own the partitions
//	members.go       GroupMembers, the members of a group and what their processes run
//	lag_groups.go    ByGroup, the lag of a group in all partitions
//	errors.go        ErrRefused
package admin
