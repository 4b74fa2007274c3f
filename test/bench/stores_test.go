//go:build bench

package bench

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	storesRate = 200
	storesFor  = 10 * time.Second
	idleFor    = 40 * time.Second // longer than kafka-go keeps idle connections
)

// benchStores measures what stores cost: without webhooks, and while one of them gets some.
func benchStores(t *testing.T, r *report, on target) {
	t.Helper()
	var rows [][]string
	for _, stores := range []int{1, 20, 100} {
		rows = append(rows, costOfStores(t, on, stores))
	}
	r.table(fmt.Sprintf("Stores: cost of the tracking process, idle and with %d webhooks/s for one store", storesRate),
		"CPU in parts of a core. Connections are those to Kafka. Start is the time until the process is ready.",
		[]string{"stores", "start", "idle CPU", "loaded CPU", "connections", "resident"}, rows)
}

func costOfStores(t *testing.T, on target, stores int) []string {
	t.Helper()
	w := &watch{accepted: map[string]time.Time{}}
	sink := newDestination(0, w.accept)
	defer sink.Close()
	l := newLab(t, on)
	l.BloomreachURL, l.MoreStores = sink.URL, stores-1
	_, stop := start(t, l, "gateway", "transformer")
	began := time.Now()
	processes, stopTracking := start(t, l, "tracking")
	ready := time.Since(began)
	tracking := processes[0]
	flow(t, l, w, storesRate, 0, storesRate) // connections and caches are there from now on
	require.Eventually(t, func() bool { return w.has(storesRate) }, patience, 50*time.Millisecond)
	idle := cpuDuring(tracking, func() { time.Sleep(idleFor) })
	connections := connectionsTo(t, tracking, on.brokers)
	total := storesRate + storesRate*int(storesFor.Seconds())
	var flowing sync.WaitGroup
	loaded := cpuDuring(tracking, func() {
		flowing.Go(func() { flow(t, l, w, storesRate, storesRate, total) })
		assert.Eventually(t, func() bool { return w.has(total) }, patience+storesFor, 50*time.Millisecond)
	})
	flowing.Wait()
	now, peak := residentMiB(tracking.PID())
	stopTracking()
	stop()
	return []string{
		fmt.Sprint(stores), ready.Round(10 * time.Millisecond).String(), fmt.Sprintf("%.1f %%", 100*idle), fmt.Sprintf("%.1f %%", 100*loaded),
		fmt.Sprint(connections), fmt.Sprintf("%d (%d) MiB", now, peak),
	}
}

// cpuDuring returns the part of a core that a process uses.
func cpuDuring(p *lab.Process, during func()) float64 {
	began, before := time.Now(), cpuOf(p.PID())
	during()
	return (cpuOf(p.PID()) - before).Seconds() / time.Since(began).Seconds()
}

// connectionsTo counts a process's TCP connections to brokers, as Linux lists them
// (https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt).
func connectionsTo(t *testing.T, p *lab.Process, brokers []string) (connections int) {
	t.Helper()
	own := map[string]bool{}
	directory := fmt.Sprintf("/proc/%d/fd", p.PID())
	files, err := os.ReadDir(directory)
	require.NoError(t, err)
	for _, f := range files {
		target, _ := os.Readlink(directory + "/" + f.Name())
		own[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
	}
	ports := map[string]bool{}
	for _, broker := range brokers {
		var port int
		_, err := fmt.Sscan(broker[strings.LastIndex(broker, ":")+1:], &port)
		require.NoError(t, err)
		ports[fmt.Sprintf("%04X", port)] = true
	}
	for _, table := range []string{"tcp", "tcp6"} {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", p.PID(), table))
		require.NoError(t, err)
		for line := range strings.Lines(string(content)) {
			fields := strings.Fields(line)
			if len(fields) < 10 || !own[fields[9]] {
				continue
			}
			if _, port, _ := strings.Cut(fields[2], ":"); ports[port] {
				connections++
			}
		}
	}
	return connections
}
