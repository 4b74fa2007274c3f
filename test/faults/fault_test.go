package faults_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
)

// fault is something that goes wrong. It returns how it is mended, which is done a few seconds later.
type fault struct {
	name  string
	begin func(w *world) (mend func())
	// least is how long it lasts at least.
	least time.Duration
}

// ofProcesses are faults of the binary's processes.
func ofProcesses() []fault {
	return []fault{
		{name: "kill -9 of a transformer", begin: func(w *world) func() {
			m := w.any()
			w.say("kill %s", m.name)
			m.Kill()
			w.remove(m)
			return func() { w.say("start %s", w.join().name) }
		}},
		{name: "kill -9 of two transformers, one started at once", begin: func(w *world) func() {
			for range 2 {
				m := w.any()
				w.say("kill %s, start another", m.name)
				m.Kill()
				w.remove(m)
				w.join()
			}
			return func() {}
		}},
		{name: "SIGTERM", begin: func(w *world) func() {
			m := w.any()
			w.say("stop %s: %v", m.name, m.Stop(40*time.Second))
			w.remove(m)
			return func() { w.say("start %s", w.join().name) }
		}},
		{name: "zombie", least: session + 2*time.Second, begin: func(w *world) func() {
			m := w.any()
			w.say("freeze %s", m.name)
			require.NoError(w, m.Freeze())
			return func() {
				w.say("thaw %s", m.name)
				require.NoError(w, m.Thaw())
			}
		}},
		{name: "short freeze", begin: func(w *world) func() {
			m := w.any()
			w.say("freeze %s for a moment", m.name)
			require.NoError(w, m.Freeze())
			return func() { require.NoError(w, m.Thaw()) }
		}},
		{name: "join and leave", begin: func(w *world) func() {
			m := w.join()
			w.say("%s joins", m.name)
			return func() {
				w.say("%s leaves: %v", m.name, m.Stop(40*time.Second))
				w.remove(m)
			}
		}},
		{name: "kill -9 of the gateway", begin: func(w *world) func() {
			w.say("kill %s", w.gateway.name)
			w.gateway.Kill()
			w.gateway = w.launch("gateway")
			return func() {}
		}},
		{name: "zombie of the tracking sink", least: session + 2*time.Second, begin: func(w *world) func() {
			old := w.tracking
			w.say("freeze %s, start another", old.name)
			require.NoError(w, old.Freeze())
			w.tracking = w.launch("tracking")
			return func() {
				require.NoError(w, old.Thaw())
				w.wait(time.Second, old.Ended())
				w.say("stop %s: %v", old.name, old.Stop(40*time.Second))
			}
		}},
		{name: "kill -9 of the tracking sink", begin: func(w *world) func() {
			w.say("kill %s", w.tracking.name)
			w.tracking.Kill()
			w.tracking = w.launch("tracking")
			return func() {}
		}},
	}
}

// any is a transformer, whichever.
func (w *world) any() *member { return w.transformers[w.IntN(len(w.transformers))] }

// ofNetwork are faults of the way to brokers, which have nothing to do with what the brokers are.
func ofNetwork() []fault {
	return []fault{
		{name: "connections cut", begin: func(w *world) func() {
			w.say("cut connections")
			for range 5 {
				w.eachProxy((*kafkatest.Proxy).Cut)
				w.wait(between(w.Rand, 10*time.Millisecond, time.Second), nil)
			}
			return func() {}
		}},
		{name: "a broker can't be reached", begin: func(w *world) func() {
			p := w.proxies[w.IntN(len(w.proxies))]
			w.say("refuse connections to %s", p.Addr())
			p.Refuse()
			return p.Accept
		}},
		{name: "applied, and not answered", least: 5 * time.Second, begin: func(w *world) func() {
			asked := heldAPIs()
			key := asked[w.IntN(len(asked))]
			w.say("hold the answers to requests of kind %d", key)
			w.eachProxy(func(p *kafkatest.Proxy) { p.Hold(key) })
			return func() {
				if w.IntN(2) == 0 {
					w.say("drop those answers")
					w.eachProxy((*kafkatest.Proxy).Cut)
				}
				w.eachProxy((*kafkatest.Proxy).Release)
			}
		}},
	}
}

// ofBrokers are faults of Kafka and of the network to it; those of three need others that go on.
func ofBrokers(three bool) []fault {
	faults := append(ofNetwork(),
		fault{name: "a broker stands still", begin: func(w *world) func() {
			b, id := w.broker()
			w.say("freeze broker %d", id)
			b.Freeze()
			return func() {
				b.Thaw()
				w.say("thaw broker %d", id)
			}
		}},
		fault{name: "dead-letter topic unavailable", begin: func(w *world) func() {
			w.say("no broker takes dead letters")
			w.deadLettersNeed("3")
			return func() { w.deadLettersNeed("") }
		}},
	)
	if !three {
		return faults
	}
	return append(faults, killBroker(),
		fault{name: "leaders move", begin: func(w *world) func() {
			topics := []string{w.topics.Webhooks(), w.topics.Events(), w.topics.Triggers(), "__consumer_offsets", "__transaction_state"}
			for range 3 {
				topic := topics[w.IntN(len(topics))]
				w.say("move the leaders of %s", topic)
				w.brokers.MoveLeaders(topic)
			}
			return func() {}
		}},
	)
}

func killBroker() fault {
	return fault{name: "kill -9 of a broker", begin: func(w *world) func() {
		b, id := w.broker()
		w.say("kill broker %d", id)
		b.Kill()
		return func() {
			b.Restart()
			w.say("broker %d is back", id)
		}
	}}
}

// heldAPIs are the requests whose answers are worth keeping back: all of a transaction, the group's, and fetches. By the
// keys of https://kafka.apache.org/protocol#protocol_api_keys.
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

func (w *world) broker() (b kafkatest.Broker, id int) {
	id = 1 + w.IntN(len(w.brokers.Brokers()))
	return w.brokers.Broker(id), id
}

func (w *world) eachProxy(do func(*kafkatest.Proxy)) {
	for _, p := range w.proxies {
		do(p)
	}
}

// deadLettersNeed says how many replicas must have a dead letter of the transformer before it counts, "" for as many as
// everywhere. Where there are fewer, brokers take none (NOT_ENOUGH_REPLICAS).
func (w *world) deadLettersNeed(replicas string) {
	w.applyTopics(func(topic *kafka.TopicSpec) {
		if topic.Name == w.topics.DeadLetters(pipeline.RoleTransformer) && replicas != "" {
			topic.Configs["min.insync.replicas"] = replicas
		}
	})
}

// chosen is one of the faults, each name as likely as another.
func (w *world) chosen(faults []fault) fault { return faults[w.IntN(len(faults))] }

// only are the faults of these names.
func only(faults []fault, names ...string) []fault {
	return slices.DeleteFunc(slices.Clone(faults), func(f fault) bool { return !slices.Contains(names, f.name) })
}
