package config

import "time"

// Config is every setting of one process. The tags of a field declare its key:
//
//	mapstructure  name in the file; with the names above it, the path of the key
//	default       value when nothing else is given; no default: empty
//	doc           one line for the reference
//	example       a value for the reference where the default does not show one
//	oneof         the values allowed, separated by commas
//	check         the form of a text, see value.go
//	min, max      bounds of a number, size or duration
//	required      "true": an empty value is a fault
//
// A Secret is masked wherever it is printed and can be read from a file named by the environment.
type Config struct {
	Kafka           Kafka         `mapstructure:"kafka"`
	Embedded        Embedded      `mapstructure:"embedded"`
	Gateway         Gateway       `mapstructure:"gateway"`
	Admin           Admin         `mapstructure:"admin"`
	Log             Log           `mapstructure:"log"`
	ShutdownDelay   time.Duration `mapstructure:"shutdown_delay" default:"1s" min:"0s" max:"1m" doc:"Time between not being ready any more and taking no more work, for a load balancer to notice."`
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout" default:"25s" min:"1s" doc:"Time to finish the records in hand when asked to stop; keep it below the 30 s after which Kubernetes kills."`
	Ledger          Ledger        `mapstructure:"ledger"`
	Transformer     Transformer   `mapstructure:"transformer"`
	Stores          []Store       `mapstructure:"stores"`
}

// Embedded is the broker that runs inside the process when kafka.brokers is empty.
type Embedded struct {
	Dir    string `mapstructure:"dir" default:"./rechargeflow-data" doc:"Folder of the embedded broker; one process at a time."`
	Listen string `mapstructure:"listen" default:"127.0.0.1:9092" check:"loopback" doc:"Address of the embedded broker, for tools on the same machine. It knows no passwords, so loopback only."`
}

// Gateway is the door for Recharge's webhooks.
type Gateway struct {
	Listen         string        `mapstructure:"listen" default:":8080" check:"listen" doc:"Address that takes webhooks."`
	BodyLimit      Size          `mapstructure:"body_limit" default:"512KiB" min:"1KiB" max:"768KiB" doc:"Largest webhook body taken; larger ones get 413. A Kafka record of ours holds 900,000 bytes at most, headers included."`
	PublishTimeout time.Duration `mapstructure:"publish_timeout" default:"3s" min:"1ms" max:"4s" doc:"Time Kafka has to confirm a webhook before the answer is 503. Recharge itself gives up after 5 s."`
	RetryAfter     time.Duration `mapstructure:"retry_after" default:"5s" min:"1s" doc:"Retry-After header of a 503."`
}

// Admin is the port of operators and probes.
type Admin struct {
	Listen string `mapstructure:"listen" default:":9090" check:"listen" doc:"Address of /metrics, /healthz, /readyz and /version."`
}

// Log is what the process writes to standard error.
type Log struct {
	Level string `mapstructure:"level" default:"info" oneof:"debug,info,warn,error" doc:"Least level that is written."`
}

// Ledger is where texts and what became of them are kept.
type Ledger struct {
	Path string `mapstructure:"path" default:"./rechargeflow-data/ledger.db" doc:"SQLite file of the ledger."`
}

// Transformer turns webhooks into events and triggers.
type Transformer struct {
	StateDir   string `mapstructure:"state_dir" default:"./rechargeflow-data/state" doc:"Folder of the local copy of what the transformer remembers; one process at a time. It can be deleted while none runs: it comes back from recharge.state."`
	StateCache Size   `mapstructure:"state_cache" default:"32MiB" min:"1MiB" max:"16GiB" doc:"How much of it is kept in memory."`
}
