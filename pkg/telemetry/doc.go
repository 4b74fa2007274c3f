// Package telemetry provides the log, metrics, health and version of a process.
//
//	log.go                  NewLogger              JSON lines on standard error
//	metrics.go              Metrics                the metrics of a process, in their own registry
//	metrics_kafka.go        KafkaOperation, ...    requests to Kafka, and transactions
//	metrics_destination.go  Call                   HTTP calls to other systems
//	metrics_gateway.go      Response, ...          the gateway's answers, and what unverified callers take
//	metrics_state.go        StateDisk, ...         the transformer's local state
//	metrics_condition.go    StoreConfigured, ...   what is configured, ready, and wrong with topics
//	metrics_groups.go       Lost, Assigned, ...    consumer groups, whose consumers may be started anew
//	metrics_reload.go       Reloaded, ...          whether the configuration of the files is in force
//	metrics_registrations.go Registrations, ...    webhooks registered at Recharge
//	metrics_links.go        LinkRequest, ...       short links and clicks on them
//	metrics_console.go      ConsoleRequest, ...    requests to the console, and how far it has read
//	metrics_texts.go        Texting                consent and pauses
//	metrics_certificates.go Certificates, ...      when certificates expire
//	lag.go                  Metrics.Lags           the lag of consumer groups
//	health.go               Health                 the checks of /readyz
//	admin.go                Admin                  the HTTP server of /metrics, /healthz, /readyz and /version
//	debug.go                Admin.ServeLogLevel    the log level and profiles, on the admin port
//	trouble.go              Trouble                log lines about a destination that fails
//	http_log.go             NewHTTPLog             log lines of net/http's servers
//	refused.go              RefusedRequests        log lines about refused HTTP requests
//	version.go              Version                the build of the process
//	trace.go                EnsureTraceparent      the id that follows a webhook through the pipeline
package telemetry
