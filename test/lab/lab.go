// Package lab runs the rechargeflow binary between simulators of Recharge's API,
// Bloomreach and an SMS gateway. The demo and the tests that kill processes are
// built on it.
//
//	lab.go       the simulators and the configuration that points at them
//	messages.go  texts by their status, from recharge.messages
//	process.go   one running binary: its log, its end, its metrics
//	commands.go  other commands of the binary, and the flows that they activate
//	stores.go    the stores beside the first one
//	webhook.go   webhooks read from a txtar file, signed and sent
package lab

import (
	"cmp"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
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

// The name and the secrets of the lab's store.
const (
	Store     = "acme"
	Secret    = "lab-client-secret"
	SMSSecret = "lab-sms-secret"
	apiToken  = "lab-api-token"
)

// SMSTimeout is sms.timeout of the stores.
const SMSTimeout = 3 * time.Second

// Lab is a directory, a binary and the simulators around it.
type Lab struct {
	Dir     string
	Binary  string
	Brokers []string // none: the embedded broker
	Prefix  string   // of topics and consumer groups
	// Replicated gives topics three replicas, two of which must acknowledge.
	Replicated bool
	API        *rechargetest.Server
	Bloomreach *bloomreachtest.Server
	Texts      *smstest.Gateway
	// MoreStores is how many stores there are beside Store, with events only: acme-1, acme-2 …
	MoreStores int
	// TextStores are stores whose texts go through any driver.
	TextStores []TextStore
	// Flows are the active flows, of all stores that send texts.
	Flows []string
	// Window shortens the windows of the flows; "" is 1 ms, so that each trigger is a text of its own.
	Window string
	// AtOnce is how many texts are in flight; 0 is 10.
	AtOnce int
	// SMSURL replaces the simulator's URL if set, SMSDriver the driver webhook: it is sms.driver and the settings of the driver.
	SMSURL, SMSDriver string
	// ClockOffset moves the clock of processes that are started, with the embedded broker.
	ClockOffset time.Duration
	// LogLevel is the log level of processes; "" means info.
	LogLevel string
	// BloomreachURL replaces the simulator's URL if set, MoreBloomreachURL that of the stores beside Store.
	BloomreachURL, MoreBloomreachURL string
	// BloomreachTimeout is bloomreach.timeout; 0 is its default.
	BloomreachTimeout time.Duration
	// WebhookURL is recharge.webhook_url: the webhooks registered at API are checked once a second if set.
	WebhookURL string
	// Extras are the facts that all stores track.
	Extras []string
	// client sends webhooks; it keeps one connection per sender.
	client *http.Client
	// ShortLinks gives the texts short links, which are served at Links.
	ShortLinks bool
	// Embedded, Gateway, Admin, Links and Console are free loopback addresses.
	Embedded, Gateway, Admin, Links, Console string

	configured string
	activated  bool // Flows
}

// New starts the simulators. Close stops them; the caller removes the directory.
func New(dir, binary string) (*Lab, error) {
	l := &Lab{
		Dir: dir, Binary: binary,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000, IdleConnTimeout: time.Minute}, Timeout: time.Minute},
		API:    rechargetest.NewServer(apiToken), Bloomreach: bloomreachtest.New(), Texts: smstest.New(SMSSecret, time.Now),
	}
	for _, address := range []*string{&l.Embedded, &l.Gateway, &l.Admin, &l.Links, &l.Console} {
		free, err := l.another()
		if err != nil {
			l.Close()
			return nil, err
		}
		*address = free
	}
	return l, nil
}

// Now is the time by the clock of the processes.
func (l *Lab) Now() time.Time { return time.Now().Add(l.ClockOffset) }

// RandomPrefix returns a unique prefix for topics and consumer groups, so that runs can share a broker.
func RandomPrefix(name string) string { return name + "-" + strings.ToLower(rand.Text()[:10]) + "." }

// Close stops the simulators.
func (l *Lab) Close() {
	l.client.CloseIdleConnections()
	l.API.Close()
	l.Bloomreach.Close()
	l.Texts.Close()
}

// firstPort and ports are the range of free addresses, below the ports that Linux assigns to outgoing connections (32768 to 60999,
// ip_local_port_range in ip(7)): otherwise a connection could take the port before the process listens.
const (
	firstPort = 10_000
	ports     = 22_000
)

// FreeAddress returns a loopback address that was free a moment ago.
func FreeAddress() (string, error) {
	var failed error
	for range 50 {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+mathrand.IntN(ports))
		listener, err := net.Listen("tcp", address) //nolint:noctx // closed before anybody could want to cancel it
		if err == nil {
			return address, listener.Close()
		}
		failed = err
	}
	return "", fmt.Errorf("find a free port: %w", failed)
}

// another returns a free address other than the lab's own, some of which may still be free.
func (l *Lab) another() (string, error) {
	for {
		free, err := FreeAddress()
		if err != nil || !slices.Contains([]string{l.Gateway, l.Admin, l.Embedded, l.Links, l.Console}, free) {
			return free, err
		}
	}
}

// Config returns the path of the configuration file of the last started process, for other commands.
func (l *Lab) Config() string { return l.configured }

// writeConfig writes rechargeflow.yaml for processes with this admin port, and returns its path.
func (l *Lab) writeConfig(name, admin string) (string, error) {
	path := filepath.Join(l.Dir, name+".yaml")
	if err := os.WriteFile(path, []byte(l.config(name, admin)), 0o600); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	l.configured = path
	return path, nil
}

// state returns the state directory of a process. Each process has its own.
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
	level, bloomreachURL := cmp.Or(l.LogLevel, "info"), cmp.Or(l.BloomreachURL, l.Bloomreach.BaseURL())
	one := fmt.Sprintf(`shutdown_delay: 0s
kafka: {brokers: %s, topic_prefix: %q, durability: %s, session_timeout: 6s}
embedded: {dir: %q, listen: %q, clock_offset: %s}
log: {level: %s}
gateway: {listen: %q}
admin: {listen: %q}
links: {listen: %q, max_connections: 100}
console: {listen: %q, data_dir: %q}
transformer: {state_dir: %q, webhook_check_interval: 1s}
sms: {state_dir: %q}
stores:
  - name: %s
    recharge: {secrets: [%q], token: %q, api_url: %q, webhook_url: %q}
    bloomreach: %s
    sms:
      %s
      window: %s
      timeout: %s
      at_once: %d
      shop_name: Acme Coffee
      shop_url: https://acme.example
      portal_url: https://{shop}/portal/{hash}
      activation_url: https://{shop}/activate
      payment_url: https://{shop}/portal/{hash}/payment
      links: {url: %q}
`,
		brokers, l.Prefix, durability, filepath.Join(l.Dir, "kafka"), l.Embedded, l.ClockOffset, level, l.Gateway, admin, l.Links, l.Console, l.state("console-"+name),
		l.state(name), l.state("sms-"+name), Store, Secret, apiToken, l.API.URL, l.WebhookURL, l.project(bloomreachURL),
		l.smsDriver(), cmp.Or(l.Window, "1ms"), SMSTimeout, cmp.Or(l.AtOnce, 10), l.linksURL())
	return one + l.moreStores(cmp.Or(l.MoreBloomreachURL, bloomreachURL)) + l.textStores()
}

// smsDriver returns sms.driver and the settings of the driver.
func (l *Lab) smsDriver() string {
	return cmp.Or(l.SMSDriver, fmt.Sprintf("driver: webhook\n      webhook: {url: %q, secret: %q}", cmp.Or(l.SMSURL, l.Texts.URL), SMSSecret))
}

// linksURL returns the address of short links.
func (l *Lab) linksURL() string {
	if !l.ShortLinks {
		return ""
	}
	return "http://" + l.Links
}

// project returns the settings of a Bloomreach project.
func (l *Lab) project(url string) string {
	project := fmt.Sprintf("{url: %q, project: %q, key_id: %q, secret: %q, extras: [%s]",
		url, bloomreachtest.ProjectToken, bloomreachtest.KeyID, bloomreachtest.KeySecret, strings.Join(l.Extras, ", "))
	if l.BloomreachTimeout > 0 {
		project += fmt.Sprintf(", timeout: %s", l.BloomreachTimeout)
	}
	return project + "}"
}
