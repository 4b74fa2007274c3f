package config

import "time"

// The values of kafka.durability.
const (
	DurabilityReplicated = "replicated"
	DurabilitySingle     = "single"
)

// Kafka says where the topics are and how safely they are kept.
type Kafka struct {
	Brokers        []string      `mapstructure:"brokers" check:"address" example:"kafka-1:9092,kafka-2:9092" doc:"Brokers to start from. Empty: an embedded broker, for trials on one machine."`
	ClientID       string        `mapstructure:"client_id" default:"rechargeflow" doc:"Name under which brokers log and limit this client."`
	TopicPrefix    string        `mapstructure:"topic_prefix" check:"prefix" example:"staging." doc:"Put before the name of every topic and consumer group."`
	Durability     string        `mapstructure:"durability" default:"replicated" oneof:"replicated,single" doc:"replicated: three copies, two must confirm. single: one copy, for a cluster of one broker, which loses what its disk loses, and may forget the end of a transaction when it is killed: records are in topics twice then, with the same ids."`
	SessionTimeout time.Duration `mapstructure:"session_timeout" default:"30s" min:"6s" max:"30m" doc:"How long a process that went silent keeps its partitions. Brokers allow 6 s to 30 min by default."`
	HandlerTimeout time.Duration `mapstructure:"handler_timeout" default:"5m" min:"10s" max:"1h" doc:"How long one batch of records may take. After that its work is cut off; if that does not help either, the process ends with an error, to be started anew."`
	LostOffsets    string        `mapstructure:"lost_offsets" default:"skip" oneof:"skip,halt" doc:"What to do when retention deleted records before they were read. skip: go on with the first there is, counted and logged. halt: stop that partition until an offset was committed by hand."`
	Compression    string        `mapstructure:"compression" default:"snappy" oneof:"none,gzip,snappy,lz4,zstd" doc:"How batches above a kilobyte are compressed."`
	TLS            KafkaTLS      `mapstructure:"tls"`
	SASL           KafkaSASL     `mapstructure:"sasl"`
}

// KafkaTLS says how connections to the brokers are encrypted. Relative names of files are relative to the configuration
// file's folder.
type KafkaTLS struct {
	Enabled    bool   `mapstructure:"enabled" default:"false" doc:"Whether connections to the brokers are encrypted."`
	CAFile     string `mapstructure:"ca_file" doc:"PEM file with the authorities that may have signed the brokers' certificates, relative to this file's folder. Empty: those the system trusts."`
	CertFile   string `mapstructure:"cert_file" doc:"PEM file with a certificate of our own, for brokers that want one (mutual TLS). Goes with key_file. Both are read for each connection, so they can be replaced at any time."`
	KeyFile    string `mapstructure:"key_file" doc:"PEM file with the private key of cert_file, not encrypted."`
	ServerName string `mapstructure:"server_name" doc:"Name in the brokers' certificates, where it is not the host of their addresses."`
}

// The values of kafka.sasl.mechanism.
const (
	SASLPlain    = "PLAIN"
	SASLSCRAM256 = "SCRAM-SHA-256"
	SASLSCRAM512 = "SCRAM-SHA-512"
)

// KafkaSASL says who we are to the brokers.
type KafkaSASL struct {
	Mechanism string `mapstructure:"mechanism" oneof:",PLAIN,SCRAM-SHA-256,SCRAM-SHA-512" doc:"How we log in to the brokers. Empty: not at all. PLAIN sends the password as it is: only over TLS."`
	Username  string `mapstructure:"username" doc:"User that we log in as. Goes with mechanism."`
	Password  Secret `mapstructure:"password" doc:"Password of that user. Goes with mechanism."`
}
