// Command restore takes over all partitions of a changelog, as a transformer does, and prints the cost as JSON: restore
// -brokers host:port -topic t -partitions 12 -dir directory -customers 1000000 -rows customer/acme/ -first 3000000.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/state"
)

// Cost is the printed result.
type Cost struct {
	// Read is the cost of reading the changelog alone, all partitions concurrently; Restore of TakeOver of all partitions;
	// Again of TakeOver of all partitions after the store was closed and opened.
	Read, Restore, Again Usage
	// Get is the cost of reading one existing row, Set of changing one, including its record and its local write.
	Get, Set Usage
	// RestoredBytes is the peak memory until all partitions were restored, PeakBytes until the end.
	RestoredBytes, PeakBytes int64
	FolderBytes              int64
}

// Usage is wall time and CPU time in seconds.
type Usage struct{ Seconds, CPU float64 }

func (u Usage) and(v Usage) Usage { return Usage{u.Seconds + v.Seconds, u.CPU + v.CPU} }

func (u Usage) each(n float64) Usage { return Usage{u.Seconds / n, u.CPU / n} }

func main() {
	brokers := flag.String("brokers", "", "host:port")
	topic := flag.String("topic", "", "the changelog")
	partitions := flag.Int("partitions", 12, "of the changelog")
	dir := flag.String("dir", "", "an empty directory")
	customers := flag.Int("customers", 0, "in the changelog, whose rows are read and changed; 0: none are")
	rows := flag.String("rows", "", "the start of the keys of the customers' rows, before the id")
	first := flag.Int("first", 0, "the id of the first customer, in partition 0")
	flag.Parse()
	b := bench{partitions: *partitions, customers: *customers, rows: *rows, first: *first, config: state.Config{
		Dir: *dir, Topic: *topic, Cluster: kafka.Cluster{Brokers: strings.Split(*brokers, ",")},
	}}
	cost, err := b.run(context.Background())
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(cost)
	}
	if err != nil {
		log.Fatal(err)
	}
}

type bench struct {
	config                state.Config
	partitions, customers int
	rows                  string
	first                 int
}

func (b bench) run(ctx context.Context) (c Cost, err error) {
	store, err := state.Open(b.config)
	if err != nil {
		return c, err
	}
	if c.Restore, err = used(func() error { return b.takeOver(ctx, store) }); err != nil {
		return c, err
	}
	c.RestoredBytes = peak()
	if err := store.Close(); err != nil {
		return c, err
	}
	c.FolderBytes = folderSize(b.config.Dir)
	if store, err = state.Open(b.config); err != nil {
		return c, err
	}
	if c.Again, err = used(func() error { return b.takeOver(ctx, store) }); err != nil {
		return c, err
	}
	if b.customers > 0 {
		if c.Get, c.Set, err = b.work(store); err != nil {
			return c, err
		}
	}
	c.PeakBytes = peak()
	c.Read, err = used(func() error { return b.read(ctx) })
	return c, errors.Join(err, store.Close())
}

func (b bench) takeOver(ctx context.Context, store *state.Store) error {
	return b.each(func(number int) error { return store.Partition(number).TakeOver(ctx) })
}

func (b bench) each(do func(number int) error) error {
	var all errgroup.Group
	for number := range b.partitions {
		all.Go(func() error { return do(number) })
	}
	return all.Wait()
}

func (b bench) read(ctx context.Context) error {
	reader, err := kafka.NewTopicReader(b.config.Cluster, b.config.Topic)
	if err != nil {
		return err
	}
	defer reader.Close()
	return b.each(func(number int) error {
		spans, err := reader.OffsetRanges(ctx, number)
		if err != nil {
			return err
		}
		for _, err := range reader.Read(ctx, number, spans[number]) {
			if err != nil {
				return err
			}
		}
		return nil
	})
}

const (
	transactions = 2000
	perBatch     = 100
)

// work reads and changes rows of random customers. Its writes never reach the changelog.
func (b bench) work(store *state.Store) (get, set Usage, err error) {
	values := make([][]byte, perBatch)
	for i := range transactions {
		number := i % b.partitions
		o := store.Partition(number).Begin()
		read, _ := used(func() error {
			for j := range values {
				values[j] = o.Get(b.anyOf(number, i*perBatch+j))
			}
			return nil
		})
		wrote, err := used(func() error {
			for j, value := range values {
				o.Set(b.anyOf(number, i*perBatch+j), append(bytes.Clone(value[1:]), value[0]))
			}
			_, err := o.Rows()
			o.Apply()
			return err
		})
		if err != nil {
			return get, set, err
		}
		get, set = get.and(read), set.and(wrote)
	}
	return get.each(transactions * perBatch), set.each(transactions * perBatch), nil
}

// anyOf returns the row of a random customer of a partition; the same seed gives the same row.
func (b bench) anyOf(partition, seed int) []byte {
	r := rand.New(rand.NewPCG(uint64(seed), 1)) //nolint:gosec // a choice, no secret
	id := r.IntN(b.customers/b.partitions)*b.partitions + partition
	return fmt.Appendf(nil, "%s%d", b.rows, b.first+id)
}

func used(do func() error) (Usage, error) {
	began, before := time.Now(), cpu()
	err := do()
	return Usage{Seconds: time.Since(began).Seconds(), CPU: cpu() - before}, err
}

func cpu() float64 {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // fails for unknown arguments only
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

// peak returns the peak memory of the process, as reported by Linux; 0 on other systems. Getrusage would include the parent
// process.
func peak() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}

func folderSize(dir string) (size int64) {
	entries, _ := os.ReadDir(dir + "/rows")
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			size += info.Size()
		}
	}
	return size
}
