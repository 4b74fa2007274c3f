//go:build bench

package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/links"
	"github.com/rechargeflow/rechargeflow/pkg/message"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

const (
	linkCount = 100_000
	linkRate  = 500
	linkUser  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)

// benchLinks measures how soon a short link is answered.
func benchLinks(t *testing.T, r *report, targets []target) {
	t.Helper()
	rows := make([][]string, 0, len(targets))
	for _, on := range targets {
		rows = append(rows, linksLatency(t, on))
	}
	r.table(fmt.Sprintf("Links: a request for a short link to its redirect, at %d/s", linkRate),
		fmt.Sprintf("%s, after %s to warm up, of clients in the same machine that reuse connections; %s links in memory. Each request is a click.", measured, warmUp, thousands(linkCount)),
		[]string{"broker", "requests", "p50", "p99", "p99.9", "CPU each", "memory", "clicks written"}, rows)
}

// linksLatency requests links at a rate.
func linksLatency(t *testing.T, on target) []string {
	t.Helper()
	l := newLab(t, on)
	l.ShortLinks = true
	processes, stop := start(t, l, "links")
	cluster := kafka.Cluster{Brokers: on.brokers, ClientID: "bench"}
	if len(on.brokers) == 0 {
		cluster.Brokers = []string{l.Embedded}
	}
	producer := kafka.NewProducer(cluster, kafka.ProducerConfig{})
	defer func() { require.NoError(t, producer.Close()) }()
	codes := fillLinks(t, producer, topology.Topics{Prefix: l.Prefix}.Links())
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 50, MaxConnsPerHost: 50},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	require.Eventually(t, func() bool {
		_, location := visitLink(t, client, l.Links, codes[len(codes)-1])
		return strings.HasSuffix(location, "/portal")
	}, time.Minute, 10*time.Millisecond)
	request := func(rate int, codes []links.Code) (each []time.Duration) {
		var mutex sync.Mutex
		var all sync.WaitGroup
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		for _, code := range codes {
			<-tick.C
			all.Go(func() {
				took, location := visitLink(t, client, l.Links, code)
				assert.True(t, strings.HasSuffix(location, "/portal"))
				mutex.Lock()
				defer mutex.Unlock()
				each = append(each, took)
			})
		}
		all.Wait()
		return each
	}
	warm, total := linkRate*int(warmUp.Seconds()), linkRate*int(measured.Seconds())
	request(linkRate, codes[:warm])
	before := cpuOf(processes[0].PID())
	each := request(linkRate, codes[warm:warm+total])
	cpu := cpuOf(processes[0].PID()) - before
	resident, _ := residentMiB(processes[0].PID())
	written := 0
	for _, err := range kafka.Scan(t.Context(), cluster, topology.Topics{Prefix: l.Prefix}.Receipts(), time.Time{}) {
		require.NoError(t, err)
		written++
	}
	stop()
	return []string{
		on.name, thousands(len(each)), millis(percentile(each, 50)), millis(percentile(each, 99)), millis(percentile(each, 99.9)),
		fmt.Sprintf("%.0f µs", cpu.Seconds()*1e6/float64(len(each))), fmt.Sprintf("%d MiB", resident), thousands(written),
	}
}

// fillLinks writes links, and returns their codes.
func fillLinks(t *testing.T, producer *kafka.Producer, topic string) (codes []links.Code) {
	t.Helper()
	var records []kafka.Record
	now := time.Now().UTC()
	for number := range linkCount {
		code := links.NewCode()
		row := message.LinkRow{
			ID: code.ID(), Store: "acme", RechargeCustomerID: fmt.Sprint(number + 1), MessageID: fmt.Sprintf("%064x", number), Number: 1,
			Target:    message.NewLink(links.Short{Code: code, Target: "https://acme.example/tools/recurring/6f5902ac237024bd/portal"}).Target,
			ClaimedAt: now.Add(-time.Hour), ExpiresAt: now.Add(24 * time.Hour),
		}
		value, err := json.Marshal(row)
		require.NoError(t, err)
		records = append(records, kafka.Record{Topic: topic, Partition: number % 12, Key: []byte("acme/" + row.ID), Value: value})
		if codes = append(codes, code); len(records) == 1000 {
			require.NoError(t, producer.Produce(t.Context(), records...))
			records = records[:0]
		}
	}
	return codes
}

// visitLink requests a link, and returns how long it took and where it leads, "" if there was no answer.
func visitLink(t *testing.T, client *http.Client, address string, code links.Code) (took time.Duration, location string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+links.Prefix+string(code), http.NoBody)
	if err != nil {
		return 0, ""
	}
	r.Header.Set("User-Agent", linkUser)
	began := time.Now()
	answer, err := client.Do(r)
	took = time.Since(began)
	if err != nil {
		return took, ""
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return took, answer.Header.Get("Location")
}
