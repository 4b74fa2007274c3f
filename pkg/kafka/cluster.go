package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	dialTimeout    = 3 * time.Second
	requestTimeout = 15 * time.Second
	metadataTTL    = 2 * time.Second
	refreshEvery   = time.Second
)

// Cluster says how to reach the brokers.
type Cluster struct {
	// Brokers are the addresses to begin with, host:port; the others are learned from them.
	Brokers []string
	// ClientID is what brokers call us in their logs and quotas.
	ClientID string
	// TLS encrypts the connections; nil for none. TLSFiles makes one. Without a ServerName it is each broker's host.
	TLS *tls.Config
	// SASL says who we are, where brokers want to know.
	SASL SASL
}

func (c Cluster) validate() error {
	if len(c.Brokers) == 0 {
		return errors.New("no Kafka brokers given: set at least one host:port")
	}
	for _, broker := range c.Brokers {
		if _, _, err := net.SplitHostPort(broker); err != nil {
			return fmt.Errorf("broker address %q is not host:port: %w", broker, err)
		}
	}
	_, err := c.SASL.mechanism()
	return err
}

func (c Cluster) addr() net.Addr { return kafka.TCP(c.Brokers...) }

// connect returns connections for the given topics, or for all topics when none are given. Nothing is dialled yet.
func (c Cluster) connect(topics ...string) *connections {
	return &connections{
		addr: c.addr(),
		transport: &kafka.Transport{
			Dial:           c.dialer().dial,
			DialTimeout:    dialTimeout,
			ClientID:       c.ClientID,
			MetadataTTL:    metadataTTL,
			MetadataTopics: slices.Clone(topics),
		},
	}
}

// connections is a pool of connections to the brokers of a cluster and what it knows about them.
type connections struct {
	addr      net.Addr
	transport *kafka.Transport

	seen         atomic.Pointer[seen]
	closed       atomic.Bool
	coordinators sync.Map // of coordination to broker id, int32

	mutex     sync.Mutex
	refreshed time.Time
}

func (c *connections) client() *kafka.Client {
	return &kafka.Client{Addr: c.addr, Transport: c.transport, Timeout: requestTimeout}
}

// refresh forgets which broker leads what, at most once a second. kafka-go itself learns of a moved leader only when
// its copy of the metadata expires (https://github.com/segmentio/kafka-go/issues/1413).
func (c *connections) refresh() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if time.Since(c.refreshed) < refreshEvery {
		return
	}
	c.refreshed = time.Now()
	c.transport.CloseIdleConnections()
}

func (c *connections) close() {
	c.closed.Store(true)
	c.transport.CloseIdleConnections()
}

// partitions returns the ids of a topic's partitions in order.
func (c *connections) partitions(ctx context.Context, topic string) ([]int, error) {
	answer, err := c.client().Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return nil, fmt.Errorf("ask for topic %s: %w", topic, err)
	}
	for _, t := range answer.Topics {
		switch {
		case t.Name != topic:
		case errors.Is(t.Error, kafka.UnknownTopicOrPartition):
			return nil, fmt.Errorf("topic %s: %w", topic, errNoTopic)
		case t.Error != nil:
			return nil, fmt.Errorf("ask for topic %s: %w", topic, t.Error)
		default:
			ids := make([]int, 0, len(t.Partitions))
			for _, p := range t.Partitions {
				ids = append(ids, p.ID)
			}
			slices.Sort(ids)
			return ids, nil
		}
	}
	return nil, fmt.Errorf("topic %s: %w", topic, errNoTopic)
}
