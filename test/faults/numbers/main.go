// Command numbers produces numbered records as fast as it can, and prints each number once it is acknowledged. Tests kill it,
// and check that the printed numbers were written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
)

func main() {
	brokers := flag.String("brokers", "", "addresses, separated by commas")
	topic := flag.String("topic", "", "where to")
	run := flag.String("run", "", "what the numbers of this process begin with")
	keys := flag.Int("keys", 100, "how many keys have numbers of their own, each one after the other")
	pace := flag.Duration("pace", 40*time.Millisecond, "least time between two numbers of a key")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	producer := kafka.NewProducer(kafka.Cluster{Brokers: strings.Split(*brokers, ",")}, kafka.ProducerConfig{})
	var counting sync.WaitGroup
	for key := range *keys {
		counting.Go(func() { count(ctx, producer, *topic, fmt.Sprintf("%s/%d", *run, key), *pace) })
	}
	counting.Wait()
	if err := producer.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// count continues with the next number after an error, because the outcome is unknown.
func count(ctx context.Context, producer *kafka.Producer, topic, name string, pace time.Duration) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for n := 1; ctx.Err() == nil; n++ {
		record := kafka.Record{Topic: topic, Partition: kafka.ByKey, Key: []byte(name), Value: fmt.Appendf(nil, "%s/%d", name, n)}
		err := producer.Produce(context.WithoutCancel(ctx), record)
		switch {
		case err == nil:
			fmt.Printf("%s/%d\n", name, n) // one write to the pipe: a line is there whole or not at all
		case !errors.Is(err, context.DeadlineExceeded):
			fmt.Fprintln(os.Stderr, err)
		}
		<-tick.C
	}
}
