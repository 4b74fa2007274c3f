package faults_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/admin"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// fault starts a fault and returns a function that ends it, which is called a few seconds later.
type fault struct {
	name  string
	begin func(w *system) (undo func())
	// least is the shortest duration of the fault.
	least time.Duration
}

// processFaults are faults of the binary's processes.
func processFaults() []fault {
	return []fault{
		{name: "kill -9 of a transformer", begin: func(w *system) func() {
			m := w.anyTransformer()
			w.logf("kill %s", m.name)
			m.Kill()
			w.remove(m)
			return func() { w.logf("start %s", w.join().name) }
		}},
		{name: "kill -9 of two transformers, one started at once", begin: func(w *system) func() {
			for range 2 {
				m := w.anyTransformer()
				w.logf("kill %s, start another", m.name)
				m.Kill()
				w.remove(m)
				w.join()
			}
			return func() {}
		}},
		{name: "SIGTERM", begin: func(w *system) func() {
			m := w.anyTransformer()
			w.logf("stop %s: %v", m.name, m.Stop(40*time.Second))
			w.remove(m)
			return func() { w.logf("start %s", w.join().name) }
		}},
		{name: "zombie", least: session + 2*time.Second, begin: func(w *system) func() {
			m := w.anyTransformer()
			w.logf("freeze %s", m.name)
			require.NoError(w, m.Freeze())
			return func() {
				w.logf("thaw %s", m.name)
				require.NoError(w, m.Thaw())
			}
		}},
		{name: "short freeze", begin: func(w *system) func() {
			m := w.anyTransformer()
			w.logf("freeze %s for a moment", m.name)
			require.NoError(w, m.Freeze())
			return func() { require.NoError(w, m.Thaw()) }
		}},
		{name: "join and leave", begin: func(w *system) func() {
			m := w.join()
			w.logf("%s joins", m.name)
			return func() {
				w.logf("%s leaves: %v", m.name, m.Stop(40*time.Second))
				w.remove(m)
			}
		}},
		{name: "kill -9 of the gateway", begin: func(w *system) func() {
			w.logf("kill %s", w.gateway.name)
			w.gateway.Kill()
			w.gateway = w.launch("gateway")
			return func() {}
		}},
		{name: "zombie of the tracking sink", least: session + 2*time.Second, begin: func(w *system) func() {
			old := w.tracking
			w.logf("freeze %s, start another", old.name)
			require.NoError(w, old.Freeze())
			w.tracking = w.launch("tracking")
			return func() {
				require.NoError(w, old.Thaw())
				w.wait(time.Second, old.Ended())
				w.logf("stop %s: %v", old.name, old.Stop(40*time.Second))
			}
		}},
		{name: "kill -9 of the tracking sink", begin: func(w *system) func() {
			w.logf("kill %s", w.tracking.name)
			w.tracking.Kill()
			w.tracking = w.launch("tracking")
			return func() {}
		}},
	}
}

// anyTransformer is a random transformer.
func (w *system) anyTransformer() *member { return w.transformers[w.IntN(len(w.transformers))] }

// networkFaults are faults of the connections to brokers of any kind.
func networkFaults() []fault {
	return []fault{
		{name: "connections cut", begin: func(w *system) func() {
			w.logf("cut connections")
			for range 5 {
				w.eachProxy((*kafkatest.Proxy).Cut)
				w.wait(between(w.Rand, 10*time.Millisecond, time.Second), nil)
			}
			return func() {}
		}},
		{name: "a broker can't be reached", begin: func(w *system) func() {
			p := w.proxies[w.IntN(len(w.proxies))]
			w.logf("refuse connections to %s", p.Addr())
			p.Refuse()
			return p.Accept
		}},
		{name: "applied, and not answered", least: 5 * time.Second, begin: func(w *system) func() {
			keys := heldAPIs()
			key := keys[w.IntN(len(keys))]
			w.logf("hold the answers to requests of kind %d", key)
			w.eachProxy(func(p *kafkatest.Proxy) { p.Hold(key) })
			return func() {
				if w.IntN(2) == 0 {
					w.logf("drop those answers")
					w.eachProxy((*kafkatest.Proxy).Cut)
				}
				w.eachProxy((*kafkatest.Proxy).Release)
			}
		}},
	}
}

// brokerFaults are faults of Kafka and of the network to it; some need two other running brokers.
func brokerFaults(three bool) []fault {
	faults := append(networkFaults(),
		freezeBroker(0),
		fault{name: "dead-letter topic unavailable", begin: func(w *system) func() {
			w.logf("no broker accepts dead letters")
			w.deadLettersNeed("3")
			return func() { w.deadLettersNeed("") }
		}},
	)
	if !three {
		return faults
	}
	return append(faults, killBroker(),
		fault{name: "leaders move", begin: func(w *system) func() {
			topics := []string{w.topics.Webhooks(), w.topics.Events(), w.topics.Triggers(), "__consumer_offsets", "__transaction_state"}
			for range 3 {
				topic := topics[w.IntN(len(topics))]
				w.logf("move the leaders of %s", topic)
				w.brokers.MoveLeaders(topic)
			}
			return func() {}
		}},
	)
}

// brokerSession is the session of a broker that is frozen for longer.
const brokerSession = 4 * time.Second

func freezeBroker(least time.Duration) fault {
	return fault{name: "a broker stands still", least: least, begin: func(w *system) func() {
		b, id := w.broker()
		w.logf("freeze broker %d", id)
		b.Freeze()
		return func() {
			b.Thaw()
			w.logf("thaw broker %d", id)
		}
	}}
}

func killBroker() fault {
	return fault{name: "kill -9 of a broker", begin: func(w *system) func() {
		b, id := w.broker()
		w.logf("kill broker %d", id)
		b.Kill()
		return func() {
			b.Restart()
			w.logf("broker %d is back", id)
		}
	}}
}

// heldAPIs are the requests whose answers are held: those of transactions and of the group, and fetches. By the keys of https://kafka.apache.org/protocol#protocol_api_keys.
func heldAPIs() []int16 {
	const (
		produce, fetch, offsetCommit, offsetFetch, joinGroup, syncGroup = 0, 1, 8, 9, 11, 14
		initProducerID, addPartitions, addOffsets, endTxn, txnOffsets   = 22, 24, 25, 26, 28
	)
	return []int16{
		produce, produce, endTxn, endTxn, txnOffsets, addPartitions, addOffsets, initProducerID,
		fetch, offsetCommit, offsetFetch, joinGroup, syncGroup,
	}
}

func (w *system) broker() (b kafkatest.Broker, id int) {
	id = 1 + w.IntN(len(w.brokers.Brokers()))
	return w.brokers.Broker(id), id
}

func (w *system) eachProxy(do func(*kafkatest.Proxy)) {
	for _, p := range w.proxies {
		do(p)
	}
}

// deadLettersNeed sets min.insync.replicas of the transformer's dead letters, "" for the usual number. With fewer replicas
// brokers accept none (NOT_ENOUGH_REPLICAS).
func (w *system) deadLettersNeed(replicas string) {
	w.applyTopics(func(topic *admin.TopicSpec) {
		if topic.Name == w.topics.DeadLetters(topology.RoleTransformer) && replicas != "" {
			topic.Configs["min.insync.replicas"] = replicas
		}
	})
}

// chosen is a random fault.
func (w *system) chosen(faults []fault) fault { return faults[w.IntN(len(faults))] }

// only are the faults with these names.
func only(faults []fault, names ...string) []fault {
	return slices.DeleteFunc(slices.Clone(faults), func(f fault) bool { return !slices.Contains(names, f.name) })
}
