package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/rechargeflow/rechargeflow/console/access"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/pkg/webhooksample"
	"github.com/rechargeflow/rechargeflow/test/browser"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// Customers by what happens to them.
const (
	customer int64 = 246936001 + iota // whose text is sent
	held                              // whose text is held
	lost                              // whose text is perhaps sent
	refused                           // whose event Bloomreach refuses
	another                           // whose event it refuses later
	unseen                            // whose event comes while a page can't reach the console
)

const password = "correct horse battery staple"

// payload is in the name and the product of customers. It must be text everywhere.
const payload = `<img src=x onerror='executed.push("webhook")'>`

func email(of int64) string { return fmt.Sprintf("sample-%d@example.com", of) }

func phone(of int64) string { return fmt.Sprintf("+1503555%04d", 100+of%100) }

// secrets are what webhooks and logins carry, and no page may show.
func secrets() []string {
	all := []string{password, lab.Secret, lab.SMSSecret}
	for of := customer; of <= unseen; of++ {
		all = append(all, phone(of), email(of), fmt.Sprintf("%016x", of))
	}
	return all
}

// system is all roles in one process, and a browser.
type system struct {
	lab     *lab.Lab
	process *lab.Process
	topics  topology.Topics
	browser *browser.Browser
	axe     string
	url     string
}

// start starts all roles, with the operator ann and the viewer vic.
func start(t *testing.T) *system {
	t.Helper()
	b := browser.Start(t)
	dir := t.TempDir()
	binary, people := filepath.Join(dir, "rechargeflow"), filepath.Join(dir, "people.yaml")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/rechargeflow").CombinedOutput()
	require.NoError(t, err, string(out))
	secret, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	require.NoError(t, err)
	require.NoError(t, access.AddPerson(people, "ann", access.Operator, string(secret)))
	require.NoError(t, access.AddPerson(people, "vic", access.Viewer, string(secret)))
	l, err := lab.New(dir, binary)
	require.NoError(t, err)
	t.Cleanup(l.Close)
	p, err := l.Launch(t.Context(), []string{"RECHARGEFLOW_CONSOLE_PEOPLE_FILE=" + people})
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	require.NoError(t, p.AwaitReady(t.Context()), p.Output())
	return &system{lab: l, process: p, topics: topology.Topics{Prefix: l.Prefix}, browser: b, axe: b.Axe(), url: "http://" + l.Console}
}

// webhook sends a sample of a topic, with the payload in its names.
func (s *system) webhook(t *testing.T, topic recharge.Topic, of int64) {
	t.Helper()
	body, err := webhooksample.Sample{Topic: topic, Version: recharge.Version202111, Customer: of, At: time.Now()}.Body()
	require.NoError(t, err)
	encoded, err := json.Marshal(payload)
	require.NoError(t, err)
	for _, name := range []string{"House Blend", `"Sample"`, "1 lb"} {
		body = bytes.ReplaceAll(body, []byte(name), []byte(strings.Replace(name, strings.Trim(name, `"`), strings.Trim(string(encoded), `"`), 1)))
	}
	status, answer, err := s.lab.Send(t.Context(), lab.Webhook{Store: lab.Store, Topic: string(topic), Body: body})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, answer)
}

// subscribe sends the webhooks of a new customer with a subscription.
func (s *system) subscribe(t *testing.T, of int64) {
	t.Helper()
	s.webhook(t, "customer/created", of)
	s.webhook(t, "subscription/created", of)
}

// records reads a topic.
func (s *system) records(t *testing.T, topic string) []kafka.Record {
	t.Helper()
	records, err := kafkatest.ReadAll(t.Context(), kafka.Cluster{Brokers: []string{s.lab.Embedded}}, topic)
	require.NoError(t, err)
	return records
}
