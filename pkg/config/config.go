package config

import "time"

// Config holds all settings of one process. The tags of a field declare its key:
//
//	mapstructure  name in the file; with the names above it, the path of the key
//	default       value when nothing else is given; no default: empty
//	doc           one line for the reference
//	example       a value for the reference where the default does not show one
//	oneof         the values allowed, separated by commas
//	check         the form of a text, see value.go
//	min, max      bounds of an integer, number, size or duration
//	required      "true": an empty value is a fault
//	ask           `rechargeflow init` asks for the value: "required", or "optional" if it may be left empty
//	askif         only if another key is set, "sms.driver", or has a value, "sms.driver=webhook"
//	role          the roles that use the value, separated by commas: other processes need not have it, and a change of a store's
//	              key concerns them alone
//	reload        "true": a process takes up a change while it runs. Keys of stores have none: all are taken up
//
// A Secret is masked wherever it is printed and can be read from a file named by the environment.
type Config struct {
	Kafka           Kafka         `mapstructure:"kafka"`
	Embedded        Embedded      `mapstructure:"embedded"`
	Gateway         Gateway       `mapstructure:"gateway"`
	Admin           Admin         `mapstructure:"admin"`
	Log             Log           `mapstructure:"log"`
	Tracing         Tracing       `mapstructure:"tracing"`
	ShutdownDelay   time.Duration `mapstructure:"shutdown_delay" default:"1s" min:"0s" max:"1m" doc:"After SIGTERM, /readyz fails at once, and the process still accepts work for this time, so that a load balancer can notice."`
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout" default:"25s" min:"1s" doc:"Time to finish the records in progress after SIGTERM. Keep it below the 30 s after which Kubernetes sends SIGKILL."`
	Transformer     Transformer   `mapstructure:"transformer"`
	SMS             Planner       `mapstructure:"sms"`
	Links           Links         `mapstructure:"links"`
	Console         Console       `mapstructure:"console"`
	Stores          []Store       `mapstructure:"stores"`
}

// Embedded is the broker that runs inside the process when kafka.brokers is empty.
type Embedded struct {
	Dir    string `mapstructure:"dir" default:"./rechargeflow-data" doc:"Data directory of the embedded broker, for one process at a time."`
	Listen string `mapstructure:"listen" default:"127.0.0.1:9092" check:"loopback" doc:"Address of the embedded broker, for tools on the same machine. Loopback only, because it has no authentication."`
	// ClockOffset is refused with other brokers: processes with different clocks would disagree on what is due.
	ClockOffset time.Duration `mapstructure:"clock_offset" default:"0s" min:"-24h" max:"72h" doc:"Moves the clock of the process, and of import and backfill, to see a night at noon: for trials with the embedded broker only."`
}

// Gateway configures the HTTP endpoint for Recharge's webhooks.
type Gateway struct {
	Listen         string        `mapstructure:"listen" default:":8080" check:"listen" doc:"Address on which the gateway receives webhooks."`
	BodyLimit      Size          `mapstructure:"body_limit" reload:"true" default:"512KiB" min:"1KiB" max:"768KiB" doc:"Largest accepted webhook body. Larger ones get 413. A record has at most 900,000 bytes, including headers."`
	BodyMemory     Size          `mapstructure:"body_memory" default:"64MiB" min:"1MiB" max:"16GiB" doc:"Memory for bodies, of all requests together. Above it bodies that arrive slowly get 503."`
	MaxConnections int           `mapstructure:"max_connections" default:"2000" min:"10" max:"100000" doc:"Open connections. A new one above the limit closes the one that has waited longest for its client."`
	PublishTimeout time.Duration `mapstructure:"publish_timeout" reload:"true" default:"3s" min:"1ms" max:"4s" doc:"Time for Kafka to acknowledge a webhook. After it the answer is 503. Recharge's own timeout is 5 s."`
	RetryAfter     time.Duration `mapstructure:"retry_after" reload:"true" default:"5s" min:"1s" doc:"Retry-After header of a 503."`
}

// Admin configures the port for metrics and probes.
type Admin struct {
	Listen string `mapstructure:"listen" default:"127.0.0.1:9090" check:"listen" doc:"Address of /metrics, /healthz, /readyz, /version and /log/level, which need no authentication. Set :9090 only on a private network, for a Prometheus on another machine or a container."`
	Pprof  bool   `mapstructure:"pprof" default:"false" doc:"Serve Go's profiles under /debug/pprof/. They may hold personal data and secrets: only where the admin port is private."`
}

// Log configures the log on standard error.
type Log struct {
	Level string `mapstructure:"level" reload:"true" default:"info" oneof:"debug,info,warn,error" doc:"Lowest level that is logged."`
}

// Tracing configures the spans that are sent to a collector.
type Tracing struct {
	Endpoint    string   `mapstructure:"endpoint" check:"url" example:"http://localhost:4318" doc:"Base URL of an OpenTelemetry collector that receives OTLP/HTTP; /v1/traces is appended. Empty: no tracing."`
	Headers     []Secret `mapstructure:"headers" check:"header" doc:"Headers of the requests to the collector, such as authorization=Bearer and a token."`
	SampleRatio float64  `mapstructure:"sample_ratio" default:"1" min:"0" max:"1" doc:"Part of the webhooks that is traced. A webhook with a traceparent header is traced if its sampled flag is set."`
}

// Transformer configures the role that turns webhooks into events and triggers.
type Transformer struct {
	StateDir             string        `mapstructure:"state_dir" default:"./rechargeflow-data/state" doc:"Directory of the transformer's local state store, for one process at a time. It can be deleted while no process runs: the state is restored from recharge.state."`
	StateCache           Size          `mapstructure:"state_cache" default:"32MiB" min:"1MiB" max:"16GiB" doc:"Cache of the local state store, in memory."`
	WebhookCheckInterval time.Duration `mapstructure:"webhook_check_interval" default:"5m" min:"100ms" max:"24h" doc:"How often the webhooks registered at Recharge are compared with those that a store needs, for stores with recharge.webhook_url."`
}

// Planner configures the role that plans and sends texts.
type Planner struct {
	StateDir   string `mapstructure:"state_dir" default:"./rechargeflow-data/sms-state" doc:"Directory of the sms role's local state store, for one process at a time. It can be deleted while no process runs: the state is restored from recharge.sms-state."`
	StateCache Size   `mapstructure:"state_cache" default:"16MiB" min:"1MiB" max:"16GiB" doc:"Cache of the local state store, in memory."`
}

// Links configures the role that serves the short links of texts.
type Links struct {
	Listen         string `mapstructure:"listen" role:"links" default:":8081" check:"listen" doc:"Address on which short links are served, behind the domain of sms.links.url. It is opened if a store has one."`
	MaxConnections int    `mapstructure:"max_connections" role:"links" default:"2000" min:"10" max:"100000" doc:"Open connections to links.listen. A new one above the limit closes the one that has waited longest for its client."`
}
