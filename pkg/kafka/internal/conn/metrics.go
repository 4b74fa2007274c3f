package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/batch"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/wire"
)

// Metrics counts and times requests to brokers. Its methods are called by many goroutines and must return at once.
type Metrics interface {
	// KafkaOperation is called after each request or transaction. Operations and outcomes are the constants below.
	KafkaOperation(operation, outcome string, took time.Duration)
	// KafkaTransfer is called after each request for each of its topics whose records were written or returned, with their
	// number and their size in bytes as they were sent.
	KafkaTransfer(operation, topic string, records, bytes int)
	// KafkaCertificate is called after each TLS handshake with a broker's host and the first expiry in its chain.
	KafkaCertificate(broker string, expires time.Time)
}

// The operations of Metrics.
const (
	OperationProduce     = "produce"
	OperationFetch       = "fetch"
	OperationTransaction = "transaction"
)

// The outcomes of Metrics.
const (
	OutcomeOK        = "ok"        // produce and fetch: every partition succeeded
	OutcomeError     = "error"     // produce and fetch: the broker answered with an error for a partition
	OutcomeNoAnswer  = "no_answer" // produce and fetch: no answer in time
	OutcomeCommitted = "committed" // transaction
	OutcomeAborted   = "aborted"   // transaction: its records are processed again
	OutcomeUnknown   = "unknown"   // transaction: the partition was lost before the outcome was known
)

type noMetrics struct{}

func (noMetrics) KafkaOperation(string, string, time.Duration) {}
func (noMetrics) KafkaTransfer(string, string, int, int)       {}
func (noMetrics) KafkaCertificate(string, time.Time)           {}

func (c Cluster) metrics() Metrics {
	if c.Metrics == nil {
		return noMetrics{}
	}
	return c.Metrics
}

// expiry returns when the first certificate of a verified chain expires; of several chains, of the one that lasts longest.
func expiry(state tls.ConnectionState) time.Time {
	var last time.Time
	for _, chain := range state.VerifiedChains {
		first := chain[0].NotAfter
		for _, certificate := range chain {
			if certificate.NotAfter.Before(first) {
				first = certificate.NotAfter
			}
		}
		if first.After(last) {
			last = first
		}
	}
	return last
}

// Metrics returns the metrics of the cluster.
func (p *Pool) Metrics() Metrics { return p.metrics }

// measureProduce reports a produce request.
func (p *Pool) measureProduce(began time.Time, batches []wire.ProduceBatch, answers []wire.ProduceResult, err error) {
	written := make(map[wire.Partition]bool, len(answers))
	for _, a := range answers {
		if a.Code == 0 {
			written[a.Partition] = true
		}
	}
	var all transfers
	for _, b := range batches {
		if written[b.Partition] {
			all.add(b.Topic, b.Bytes)
		}
	}
	p.measure(OperationProduce, began, all, len(written) == len(batches), err)
}

// measureFetch reports a fetch request.
func (p *Pool) measureFetch(began time.Time, answers []wire.FetchResult, err error) {
	ok := true
	var all transfers
	for _, a := range answers {
		ok = ok && a.Code == 0
		all.add(a.Topic, a.Set)
	}
	p.measure(OperationFetch, began, all, ok, err)
}

// measure reports a request. One that the caller canceled is not counted.
func (p *Pool) measure(operation string, began time.Time, all transfers, ok bool, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	for _, of := range all {
		p.metrics.KafkaTransfer(operation, of.topic, of.records, of.bytes)
	}
	p.metrics.KafkaOperation(operation, outcome(ok, err), time.Since(began))
}

func outcome(ok bool, err error) string {
	switch {
	case err != nil:
		return OutcomeNoAnswer
	case !ok:
		return OutcomeError
	}
	return OutcomeOK
}

// transfers are the records of a request by topic. Requests and answers are grouped by topic.
type transfers []transfer

type transfer struct {
	topic          string
	records, bytes int
}

func (t *transfers) add(topic string, set []byte) {
	if len(set) == 0 {
		return
	}
	if n := len(*t); n == 0 || (*t)[n-1].topic != topic {
		*t = append(*t, transfer{topic: topic})
	}
	last := &(*t)[len(*t)-1]
	last.records += batch.Count(set)
	last.bytes += len(set)
}
