// Package lab runs the rechargeflow binary between simulators of Recharge's API,
// Bloomreach and an SMS gateway. The demo and the tests that kill processes are
// built on it.
//
//	lab.go       the simulators and the configuration that points at them
//	process.go   one running binary: its log, its end, its metrics
//	webhook.go   webhooks read from a txtar file, signed and sent
package lab

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/bloomreach/bloomreachtest"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/sms/smstest"
)

// What every lab's store is called and signs with.
const (
	Store     = "acme"
	Secret    = "lab-client-secret"
	apiToken  = "lab-api-token"
	smsSecret = "lab-sms-secret"
)

// Lab is a folder, a binary and the simulators around it.
type Lab struct {
	Dir     string
	Binary  string
	Brokers []string // none: the embedded broker
	Prefix  string   // of topics and consumer groups
	// Replicated says that topics have three replicas, each acknowledged by two.
	Replicated bool
	API        *rechargetest.Server
	Bloomreach *bloomreachtest.Server
	Texts      *smstest.Gateway
	// Flows are switched on.
	Flows []string
	// LogLevel is the least that processes log; "" is info.
	LogLevel string
	// BloomreachURL replaces the simulator's where it is set.
	BloomreachURL string
	// client sends webhooks; it keeps as many connections as there are senders.
	client *http.Client
	// Embedded, Gateway and Admin are loopback addresses that were free.
	Embedded, Gateway, Admin string

	configured string
}

// New starts the simulators. Close ends them; the folder is the caller's.
func New(dir, binary string) (*Lab, error) {
	l := &Lab{
		Dir: dir, Binary: binary,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000, IdleConnTimeout: time.Minute}, Timeout: time.Minute},
		API:    rechargetest.NewServer(apiToken), Bloomreach: bloomreachtest.New(), Texts: smstest.New(smsSecret, time.Now),
	}
	for _, address := range []*string{&l.Embedded, &l.Gateway, &l.Admin} {
		free, err := l.another()
		if err != nil {
			l.Close()
			return nil, err
		}
		*address = free
	}
	return l, nil
}

// RandomPrefix is one for topics and consumer groups that no other run has, so that one broker serves many.
func RandomPrefix(name string) string { return name + "-" + strings.ToLower(rand.Text()[:10]) + "." }

// Close ends the simulators.
func (l *Lab) Close() {
	l.client.CloseIdleConnections()
	l.API.Close()
	l.Bloomreach.Close()
	l.Texts.Close()
}

// FreeAddress is a loopback address that nobody listened on a moment ago.
func FreeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed before anybody could want to cancel it
	if err != nil {
		return "", fmt.Errorf("find free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// another is a free address that is none of the lab's own, of which some may have nobody listening on them.
func (l *Lab) another() (string, error) {
	for {
		free, err := FreeAddress()
		if err != nil || !slices.Contains([]string{l.Gateway, l.Admin, l.Embedded}, free) {
			return free, err
		}
	}
}

// Config is the path of the configuration that the process started last was given, for other commands.
func (l *Lab) Config() string { return l.configured }

// writeConfig writes rechargeflow.yaml and flows.yaml for processes whose admin
// port is admin, and returns the first one's path.
func (l *Lab) writeConfig(name, admin string) (string, error) {
	var flows strings.Builder
	for _, key := range l.Flows {
		fmt.Fprintf(&flows, "- key: %s\n  active: true\n", key)
	}
	if err := os.WriteFile(filepath.Join(l.Dir, "flows.yaml"), []byte(flows.String()), 0o600); err != nil {
		return "", fmt.Errorf("write flows: %w", err)
	}
	path := filepath.Join(l.Dir, name+".yaml")
	if err := os.WriteFile(path, []byte(l.config(name, admin)), 0o600); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	l.configured = path
	return path, nil
}

// state is the folder of what the process of that name remembers: each has its own, as no two may share one.
func (l *Lab) state(name string) string { return filepath.Join(l.Dir, "state", name) }

func (l *Lab) config(name, admin string) string {
	brokers := "[]"
	if len(l.Brokers) > 0 {
		brokers = `["` + strings.Join(l.Brokers, `", "`) + `"]`
	}
	durability := "single"
	if l.Replicated {
		durability = "replicated"
	}
	level, bloomreachURL := "info", l.Bloomreach.BaseURL()
	if l.LogLevel != "" {
		level = l.LogLevel
	}
	if l.BloomreachURL != "" {
		bloomreachURL = l.BloomreachURL
	}
	return fmt.Sprintf(`shutdown_delay: 0s
kafka: {brokers: %s, topic_prefix: %q, durability: %s, session_timeout: 6s}
embedded: {dir: %q, listen: %q}
log: {level: %s}
gateway: {listen: %q}
admin: {listen: %q}
ledger: {path: %q}
transformer: {state_dir: %q}
stores:
  - name: %s
    recharge: {secrets: [%q], token: %q, api_url: %q}
    bloomreach: {url: %q, project: %q, key_id: %q, secret: %q}
    sms:
      driver: webhook
      url: %q
      secret: %q
      flows_file: flows.yaml
      shop_name: Acme Coffee
      shop_url: https://acme.example
      portal_url: https://{shop}/portal/{hash}
      activation_url: https://{shop}/activate
      payment_url: https://{shop}/portal/{hash}/payment
`,
		brokers, l.Prefix, durability, filepath.Join(l.Dir, "kafka"), l.Embedded, level, l.Gateway, admin, filepath.Join(l.Dir, "ledger.db"),
		l.state(name), Store, Secret, apiToken, l.API.URL,
		bloomreachURL, bloomreachtest.ProjectToken, bloomreachtest.KeyID, bloomreachtest.KeySecret,
		l.Texts.URL, smsSecret)
}
