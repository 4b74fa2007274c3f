// Package app runs a process from a configuration and its roles: App wires the stages of package pipeline to brokers, stores,
// state, metrics and health, and stops them in order. It reads no environment, prints nothing and has no globals.
//
//	app.go                 App: what a process has, and in which order it starts
//	serve.go               admin port, gateway and consumers until the stop; the stop
//	gateway.go             the HTTP server of the gateway, whose settings may change
//	links.go               the HTTP server of short links, likewise
//	console.go             the HTTP server of the console, likewise
//	console_service.go     what can be seen and done in the console, and who may
//	part.go                what a role runs besides these servers: how it is built, started, stopped and replaced
//	reload.go              how a changed configuration is taken up while the process runs
//	consume.go             a consumer per stage, its checks and metrics
//	stores.go              the clients and settings of the configured stores, and a log line for each
//	registrations.go       the webhooks that a store has registered at Recharge
//	preview.go             what a webhook would become at Bloomreach, samples of all events, and its checks
//	explain.go             what a webhook would become for a customer without earlier webhooks
//	checkup.go             what package doctor checks, from a configuration
//	flows.go               the flows of the stores and how these send, as they are set while the process runs
//	state.go               the transformer: state, reader of raw records, lookup client
//	texts.go               the sms role: how a store sends its texts, consent, state, sender
//	providers.go           the SMS driver of a store and its callbacks
//	brokers.go             the configured brokers or the embedded one, and the topics they must have
//	broker_check.go        whether brokers and topics are as the roles need them, and whether the gateway could store a webhook
//	topic_watch.go         whether the topics stay as the roles need them, while the process runs
//	rights.go              the consumer groups of a configuration, and what the roles must be allowed to do by brokers that use ACLs
//	tracing.go             the tracer, and lookups as parts of traces
//	lag_watch.go           the lag of the process's groups, for its metrics
//	metrics.go             metrics of what is configured, of whom the stores may text, of readiness, of calls to destinations, and of the certificates of kafka.tls
package app
