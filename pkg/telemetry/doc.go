// Package telemetry is what operators see of a process: its log, its metrics, its health, its version.
//
//	log.go      NewLogger              JSON lines on standard error
//	metrics.go  Metrics                counters and times, in a registry of their own
//	health.go   Health                 what /readyz tells
//	admin.go    Admin                  the HTTP server of /metrics, /healthz, /readyz and /version
//	version.go  Version                which build this is
//	trace.go    EnsureTraceparent      the id that follows a webhook through the pipeline
package telemetry
