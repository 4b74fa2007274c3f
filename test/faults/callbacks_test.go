package faults_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// TestCallbacksAtEachStep kills and freezes the gateway and the sms role at each step of a text and of a callback, while a provider reports all
// texts, in any order, twice, late or before its own answer, and customers answer STOP, START and HELP. Each callback is repeated until it is accepted.
// What must come of them is computed in callbacks_check_test.go.
func TestCallbacksAtEachStep(t *testing.T) {
	one := func(t *testing.T) kafkatest.Cluster { t.Helper(); return kafkatest.One(t, kafkatest.WithProxies()) }
	three := func(t *testing.T) kafkatest.Cluster { t.Helper(); return kafkatest.Three(t, kafkatest.WithProxies()) }
	for name, row := range map[string]struct {
		provider func(*testing.T, *lab.Lab) textProvider
		cluster  func(*testing.T) kafkatest.Cluster // nil for the embedded broker, in the sample
	}{
		"webhook":                {viaWebhook, nil},
		"twilio":                 {viaTwilio, nil},
		"twilio, one broker":     {viaTwilio, one},
		"webhook, three brokers": {viaWebhook, three},
	} {
		t.Run(name, func(t *testing.T) {
			parallelInSample(t)
			var brokers *kafkatest.Cluster
			if row.cluster != nil {
				skipInSample(t)
				cluster := row.cluster(t)
				brokers = &cluster
			}
			newCallbackSystem(t, brokers, row.provider).atEachStep()
		})
	}
}

// callbackSystem is a system whose texts have callbacks.
type callbackSystem struct {
	*system
	provider textProvider
	front    *unreliable
	calls    *callbacks
}

func newCallbackSystem(t *testing.T, brokers *kafkatest.Cluster, provider func(*testing.T, *lab.Lab) textProvider) *callbackSystem {
	t.Helper()
	w := &callbackSystem{system: newSystem(t, brokers)}
	w.textPayments()
	w.load.rate.SetLimit(40)
	w.provider = provider(t, w.lab)
	seed := func() *rand.Rand { return rand.New(rand.NewPCG(w.Uint64(), 0)) } //nolint:gosec // no secret
	var address string
	w.front, address = newUnreliable(t, w.provider.url, seed())
	w.lab.SMSDriver = fmt.Sprintf(w.provider.driver, address)
	w.calls = newCallbacks(w.provider, "http://"+w.lab.Gateway, seed())
	t.Cleanup(w.calls.abort)
	require.NoError(t, w.lab.ActivateFlows(t.Context()))
	w.sms = w.launch("sms")
	w.gateway = w.launch("gateway")
	w.join()
	for _, m := range w.all() {
		require.NoError(t, m.AwaitReady(t.Context()), m.name)
	}
	w.load.start()
	w.calls.start()
	return w
}

// callbackStep is a fault of a process of a role.
type callbackStep struct {
	point
	role, act string
}

// callbackSteps are the steps of a transaction of the sms role, those of a text, and those of the gateway.
func callbackSteps() (steps []callbackStep) {
	for _, act := range []string{"kill", "freeze"} {
		for _, name := range []string{"callback verified", "callback stored"} {
			steps = append(steps, callbackStep{point{name: name, most: 20}, "gateway", act})
		}
		if act == "freeze" && !whole() { // until the session has ended
			continue
		}
		for _, name := range []string{"transformed", "partitions added", "offsets added", "outputs written", "offsets written"} {
			steps = append(steps, callbackStep{point{name: name, most: 20}, "sms", act})
		}
		for _, step := range smsSteps() {
			steps = append(steps, callbackStep{step, "sms", act})
		}
	}
	return steps
}

// atEachStep injects the faults, and makes the brokers unreachable now and then. Then it checks what came of the callbacks. In the sample it is one fault of each
// role; on the embedded broker a few more.
func (w *callbackSystem) atEachStep() {
	w.Helper()
	steps := callbackSteps()
	w.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	for n, role := range []string{"gateway", "sms"} {
		first := slices.IndexFunc(steps, func(s callbackStep) bool { return s.role == role })
		steps[n], steps[first] = steps[first], steps[n]
	}
	all := len(steps)
	if w.brokers == nil {
		all = 6
	}
	steps = steps[:pick(w.T, "STEPS", 2, all)]
	for n, step := range steps {
		if step.role == "gateway" {
			w.gatewayAt(step)
		} else {
			w.smsAt(step)
		}
		if n%4 == 0 {
			w.unreachable()
		}
		w.requireAlive()
	}
	require.NoError(w, w.load.rest())
	w.calls.stopReplies()
	w.checkCallbacks()
	w.requireAlive()
	w.logf("%d steps; calls of the provider: %d lost, %d not answered, %d slow; callbacks: %v", len(steps), w.front.lost.Load(), w.front.unanswered.Load(), w.front.slow.Load(), w.calls.answers)
	assert.Positive(w, w.calls.answers["no answer"], "a gateway that is down")
	assert.Positive(w, w.calls.answers["503"], "a gateway without brokers")
}

// gatewayAt puts a gateway in the place of the running one that is killed or frozen at a step, and then another.
func (w *callbackSystem) gatewayAt(step callbackStep) {
	w.Helper()
	w.gateway.Kill()
	w.gateway = w.launch("gateway", step.fault(w.Rand))
	m := w.gateway
	require.Truef(w, w.reach(step.point, w.reachedOrEnded(m)) && m.reached(), "%s did not reach %q: %s", m.name, step.name, lastOf(m.Output()))
	w.logf("%s: %s at %q", m.name, step.act, step.name)
	if step.act == "freeze" {
		w.wait(between(w.Rand, time.Second, 7*time.Second), nil)
		require.NoError(w, m.Thaw())
		w.wait(between(w.Rand, 0, 2*time.Second), nil)
		m.Kill()
	}
	<-m.Ended()
	w.gateway = w.launch("gateway")
	require.NoError(w, w.gateway.AwaitReady(w.Context()))
}

// smsAt kills or freezes one of two processes of the sms role at a step, and sometimes also kills the other.
func (w *callbackSystem) smsAt(step callbackStep) {
	w.Helper()
	m := w.launch("sms", step.fault(w.Rand))
	require.Truef(w, w.reach(step.point, w.reachedOrEnded(m)) && m.reached(), "%s did not reach %q: %s", m.name, step.name, lastOf(m.Output()))
	w.logf("%s: %s at %q", m.name, step.act, step.name)
	if w.IntN(3) == 0 {
		w.logf("kill %s", w.sms.name)
		w.sms.Kill()
		w.sms = w.launch("sms")
	}
	if step.act == "freeze" {
		w.wait(session+between(w.Rand, 500*time.Millisecond, 3*time.Second), nil)
		require.NoError(w, m.Thaw())
		w.wait(between(w.Rand, 500*time.Millisecond, 2*time.Second), nil)
		require.NoError(w, m.Stop(40*time.Second), m.Output())
	}
	<-m.Ended()
}

func (s callbackStep) fault(r *rand.Rand) string {
	return fmt.Sprintf("FAULTPOINT=%s %s:%d", s.act, s.name, 1+r.IntN(s.most))
}

// unreachable makes the brokers unreachable until the gateway has refused callbacks.
func (w *callbackSystem) unreachable() {
	w.Helper()
	before := w.calls.count("503")
	w.logf("refuse connections to all brokers")
	w.eachProxy((*kafkatest.Proxy).Refuse)
	refused := assert.Eventually(w, func() bool { return w.calls.count("503") > before }, 20*time.Second, 50*time.Millisecond)
	w.eachProxy((*kafkatest.Proxy).Accept)
	require.True(w, refused, "the gateway refuses callbacks while no broker can be reached")
}
