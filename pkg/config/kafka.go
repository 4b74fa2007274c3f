package config

import "time"

// The values of kafka.durability.
const (
	DurabilityReplicated = "replicated"
	DurabilitySingle     = "single"
)

// ExtraIgnore is a value of kafka.extra_partitions.
const ExtraIgnore = "ignore"

// Kafka configures the brokers and the durability of the topics.
type Kafka struct {
	Brokers            []string      `mapstructure:"brokers" ask:"optional" check:"address" example:"kafka-1:9092,kafka-2:9092" doc:"Bootstrap brokers. Empty: an embedded broker, for trials on one machine."`
	ClientID           string        `mapstructure:"client_id" default:"rechargeflow" doc:"Client id, for the brokers' logs and quotas."`
	ClientRack         string        `mapstructure:"client_rack" example:"use1-az1" doc:"Rack or availability zone of this process, as broker.rack of the brokers. Consumers then read from a replica there, if the brokers have a replica.selector.class (RackAwareReplicaSelector), and from the leader otherwise."`
	TopicPrefix        string        `mapstructure:"topic_prefix" check:"prefix" example:"staging." doc:"Prefix of the names of all topics and consumer groups."`
	Durability         string        `mapstructure:"durability" ask:"optional" askif:"kafka.brokers" default:"replicated" oneof:"replicated,single" doc:"replicated: three replicas, two must acknowledge. single: one replica, for a cluster of one broker. If its disk fails, records are lost. If it is killed during a transaction, or stands still for longer than its session, records may be stored twice, with the same ids."`
	Partitions         int           `mapstructure:"partitions" default:"12" min:"1" max:"1000" doc:"Partitions of every topic, fixed when topics apply creates them. Another number would assign customers to other partitions: a topic with another number is not written."`
	ExtraPartitions    string        `mapstructure:"extra_partitions" default:"refuse" oneof:"refuse,ignore" doc:"What to do when a topic has more than kafka.partitions, because somebody added some. refuse: webhooks are not accepted. ignore: the new partitions stay unused; nothing else may write to the topics."`
	TopicCheckInterval time.Duration `mapstructure:"topic_check_interval" default:"1m" min:"100ms" max:"1h" doc:"How often a process compares the topics with what its roles need."`
	SessionTimeout     time.Duration `mapstructure:"session_timeout" default:"30s" min:"6s" max:"30m" doc:"Session timeout of the consumer groups: how long a process without heartbeats keeps its partitions. Brokers allow 6 s to 30 min by default."`
	HandlerTimeout     time.Duration `mapstructure:"handler_timeout" default:"5m" min:"10s" max:"1h" doc:"Time for one batch of records. After it the handler is canceled. If it does not return, the process exits with an error and has to be restarted."`
	LostOffsets        string        `mapstructure:"lost_offsets" default:"skip" oneof:"skip,halt" doc:"What to do when retention deleted records before they were read. skip: continue with the oldest record, log and count the loss. halt: stop the partition until an offset is committed by hand."`
	Compression        string        `mapstructure:"compression" default:"snappy" oneof:"none,gzip,snappy,lz4,zstd" doc:"Compression of batches above 1 KB."`
	TLS                KafkaTLS      `mapstructure:"tls"`
	SASL               KafkaSASL     `mapstructure:"sasl"`
}

// KafkaTLS configures TLS to the brokers. Relative file names are relative to the directory of the configuration file.
type KafkaTLS struct {
	Enabled    bool   `mapstructure:"enabled" default:"false" doc:"Connect to the brokers with TLS."`
	CAFile     string `mapstructure:"ca_file" doc:"PEM file with the certificate authorities of the brokers, relative to this file's directory. Empty: those of the system. The files of kafka.tls are read again for each connection and can be replaced at any time."`
	CertFile   string `mapstructure:"cert_file" doc:"PEM file with the client certificate, for mutual TLS. Needs key_file."`
	KeyFile    string `mapstructure:"key_file" doc:"PEM file with the private key of cert_file, not encrypted."`
	ServerName string `mapstructure:"server_name" doc:"Server name in the brokers' certificates, if it differs from the host."`
}

// The values of kafka.sasl.mechanism.
const (
	SASLPlain       = "PLAIN"
	SASLSCRAM256    = "SCRAM-SHA-256"
	SASLSCRAM512    = "SCRAM-SHA-512"
	SASLOAuthBearer = "OAUTHBEARER"
)

// KafkaSASL holds the credentials for the brokers.
type KafkaSASL struct {
	Mechanism    string   `mapstructure:"mechanism" oneof:",PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER" doc:"SASL mechanism. Empty: no authentication. PLAIN sends the password in clear text and OAUTHBEARER the token, so they need TLS."`
	Username     string   `mapstructure:"username" doc:"SASL user, except of OAUTHBEARER."`
	Password     Secret   `mapstructure:"password" doc:"SASL password, except of OAUTHBEARER. A file named by the variable is read again for each connection and can be replaced at any time."`
	TokenFile    string   `mapstructure:"token_file" doc:"File with the token of OAUTHBEARER, relative to this file's directory. It is read again for each connection and can be replaced at any time."`
	TokenCommand []string `mapstructure:"token_command" doc:"Program that writes the token of OAUTHBEARER to its standard output, and its arguments: the token alone, or a JSON object with access_token and expires_in. It is run without a shell, for 10 s at most, again before the token expires. Secrets do not belong into its arguments, which are printed."`
	Extensions   []string `mapstructure:"extensions" check:"extension" doc:"SASL extensions that are sent with the token of OAUTHBEARER."`

	// PasswordFile is the file that Password was read from; empty if it was not.
	PasswordFile string `mapstructure:"-"`
}
