// Package bench measures the product on the machine it runs on: `make bench`. It consists of tests with the build tag bench,
// which assert nothing about speed. Each figure is compared with the limit of the same machine in the same run. The results are
// printed as a table and stored in docs/bench.
//
// What is measured is what users run: on Apache Kafka one process per role, on the embedded broker one process with all roles.
// Transform and tracking alone run in the test's process, with the embedded broker in it.
//
//	bench_test.go     the brokers, the order of the benchmarks, the report
//	producer_test.go  callers to acknowledged, beside kafka-go's Writer and Kafka's own producer
//	passthrough_test.go  transactions that only copy, beside Kafka's own transactional producer
//	compression_test.go  what each codec costs and saves
//	ingest_test.go    HTTP request to acknowledged, against a handler that discards
//	discard           that handler, a program of its own
//	transform_test.go webhooks to events, against raw consume and produce
//	state_test.go     a changelog to a local copy, against reading it
//	state_fill_test.go  that changelog, as the transformer writes it
//	restore           the process that does so, a program of its own
//	transformer_test.go  the transformer's stage with its state
//	streams_test.go   the transformer beside a Kafka Streams application that does its work
//	streams           that application, in Java: `make streams` builds it, without it the benchmark is skipped
//	streams_peer_test.go  each of the two in a process of its own
//	streams_outputs_test.go  what both write for the same records
//	streams_rates_test.go  a backlog
//	streams_latency_test.go  a webhook to its event, at a fixed rate
//	committed_test.go  how far a consumer group has come
//	mix_test.go       webhooks to measure with
//	tracking_test.go  events to a slow destination
//	sms_test.go       a trigger to the request to the SMS provider; texts a second; the state of texts
//	sms_triggers_test.go  triggers, and an SMS provider that answers after a time
//	links_test.go     a request for a short link to its redirect, at a fixed rate
//	customer_test.go  the timeline of one customer among a million webhooks
//	endtoend_test.go  HTTP 200 to accepted by the destination, at a fixed rate
//	soak_test.go      the memory of each process while time passes
//	load_test.go      callers, bodies, percentiles
//	report_test.go    the table
package bench
