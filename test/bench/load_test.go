//go:build bench

package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// webhookBody is a subscription/created with its customer, 1.2 KB.
func webhookBody(id int, at time.Time) []byte {
	stamp := at.UTC().Format("2006-01-02T15:04:05.000000+00:00")
	body := fmt.Sprintf(`{"subscription":{"id":%d,"address_id":%d,"customer_id":%d,"analytics_data":{"utm_params":[]},"cancellation_reason":null,"cancellation_reason_comments":null,"cancelled_at":null,"charge_interval_frequency":30,"created_at":%q,"expire_after_specific_number_of_charges":null,"external_product_id":{"ecommerce":"7746395766960"},"external_variant_id":{"ecommerce":"44042053943472"},"has_queued_charges":true,"is_prepaid":false,"is_skippable":true,"is_swappable":false,"max_retries_reached":false,"next_charge_scheduled_at":"2026-12-31","order_day_of_month":null,"order_day_of_week":null,"order_interval_frequency":30,"order_interval_unit":"day","presentment_currency":"USD","price":"49.00","product_title":"House Blend","properties":[{"name":"grind","value":"whole"}],"quantity":4,"sku":"HB-1","sku_override":false,"status":"active","updated_at":%q,"variant_title":"1 kg"},"customer":{"id":%d,"email":"customer-%d@example.com","external_customer_id":{"ecommerce":"5213433266347"},"first_name":"Jo","hash":"f99bd4a600000000","last_name":"Bean","phone":"+15035550100","subscriptions_active_count":1,"subscriptions_total_count":1,"updated_at":%q}}`,
		1_000_000+id, 2_000_000+id, firstCustomer+id, stamp, stamp, firstCustomer+id, id, stamp)
	return []byte(body)
}

const (
	webhookTopic  = "subscription/created"
	firstCustomer = 3_000_000 // the customer of the body with id 0
)

// signed is a request that is ready to go, made before the clock runs.
func signed(ctx context.Context, address string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/webhooks/"+lab.Store+"/"+webhookTopic, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	rechargetest.Sign(r.Header, body, lab.Secret, time.Now())
	return r, nil
}

// newClient keeps as many connections open as there are callers.
func newClient(callers int) *http.Client {
	return &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: callers, MaxIdleConns: callers, DisableCompression: true},
	}
}

// send sends one request and requires a 200.
func send(client *http.Client, r *http.Request) error {
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answer %d", response.StatusCode)
	}
	return nil
}

// hammer lets callers send total webhooks, each caller one after the other, and returns how long each took, and how many got no
// 200: the test then fails, but continues.
func hammer(t *testing.T, address string, callers, total int) (each []time.Duration, refused int, took time.Duration) {
	t.Helper()
	client := newClient(callers)
	defer client.CloseIdleConnections()
	var next atomic.Int64
	failed := make(chan error, total)
	times := make([][]time.Duration, callers)
	var all sync.WaitGroup
	began := time.Now()
	for caller := range callers {
		all.Go(func() {
			for {
				id := int(next.Add(1))
				if id > total {
					return
				}
				r, err := signed(t.Context(), address, webhookBody(id, began))
				start := time.Now()
				if err == nil {
					err = send(client, r)
				}
				if err != nil {
					failed <- err
				}
				times[caller] = append(times[caller], time.Since(start))
			}
		})
	}
	all.Wait()
	took = time.Since(began)
	close(failed)
	refused = len(failed)
	assert.Zerof(t, refused, "webhooks without a 200, such as: %v", <-failed)
	return slices.Concat(times...), refused, took
}

// percentile of durations, 0 to 100.
func percentile(d []time.Duration, p float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*p/100))]
}

// residentMiB is a process's resident memory, and its peak so far.
func residentMiB(pid int) (now, peak int) {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(content)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kib); n == 1 {
			now = kib >> 10
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			peak = kib >> 10
		}
	}
	return now, peak
}

// cpuOf is what a process has used so far, in steps of 10 ms.
func cpuOf(pid int) time.Duration {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, behindName, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(behindName) // from the third on, https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
