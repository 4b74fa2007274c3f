package image_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

// compose starts docker-compose.yml without what only watches: a broker, the topics, one process per role. A webhook
// goes in at the published port and comes out of the topics at the broker's.
func compose(t *testing.T, image string) {
	tool := composeCommand(t)
	gateway, broker := composeEnv(t, image)
	run := func(args ...string) string { return command(t, tool[0], append(tool[1:], args...)...) }
	run("config", "-q")

	t.Cleanup(func() { run("down", "-v", "-t", "5") })
	roles := []string{"gateway", "transformer", "tracking", "sms", "console"}
	run(append([]string{"up", "-d", "kafka", "topics"}, roles...)...)
	containers := map[string]string{}
	for _, role := range roles {
		containers[role] = run("ps", "-q", role)
		eventually(t, func() bool { return healthy(t, containers[role]) })
		kept := map[string]string{"sms": image + "_sms-state", "transformer": image + "_state", "console": image + "_console"}[role]
		assert.Equal(t, kept, docker(t, "inspect", "-f", `{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}`, containers[role]),
			"volumes of %s", role)
	}

	assert.Equal(t, http.StatusOK, post(t, gateway, secret, subscription(1)))
	cluster := kafka.Cluster{Brokers: []string{broker}}
	for _, topic := range []string{"recharge.webhooks", "recharge.events"} {
		eventually(t, func() bool {
			records, err := kafkatest.ReadAll(t.Context(), cluster, topic)
			require.NoError(t, err)
			return len(records) > 0
		})
	}
	run("stop")
	for role, id := range containers {
		assert.Equal(t, "0", command(t, "docker", "inspect", "-f", "{{.State.ExitCode}}", id), "%s: %s", role, command(t, "docker", "logs", id))
	}
}

// composeCommand is Docker Compose as it is called here.
func composeCommand(t *testing.T) []string {
	t.Helper()
	file := []string{"-f", filepath.Join(root, "docker-compose.yml")}
	if exec.CommandContext(t.Context(), "docker", "compose", "version").Run() == nil {
		return append([]string{"docker", "compose"}, file...)
	}
	if _, err := exec.LookPath("docker-compose"); err != nil {
		lacking(t, "neither `docker compose` nor docker-compose here")
	}
	return append([]string{"docker-compose"}, file...)
}

// composeEnv sets what docker-compose.yml takes from the environment, and returns where gateway and broker are found.
func composeEnv(t *testing.T, image string) (gateway, broker string) {
	t.Helper()
	secrets := t.TempDir()
	write(t, filepath.Join(secrets, "acme_recharge_secrets"), secret)
	for _, name := range []string{"acme_recharge_token", "acme_bloomreach_project", "acme_bloomreach_secret", "acme_sms_secret", "grafana_password"} {
		write(t, filepath.Join(secrets, name), "of-"+name)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("a password of the console"), 10)
	require.NoError(t, err)
	write(t, filepath.Join(secrets, "console_people"), "people: [{name: ann, role: operator, hash: "+string(hash)+"}]\n")
	var console string
	var ports []string
	for _, address := range []*string{&gateway, &broker, &console} {
		free, err := lab.FreeAddress()
		require.NoError(t, err)
		_, port, err := net.SplitHostPort(free)
		require.NoError(t, err)
		*address, ports = free, append(ports, port)
	}
	for name, value := range map[string]string{
		"COMPOSE_PROJECT_NAME": image, "RECHARGEFLOW_IMAGE": image, "KAFKA_IMAGE": kafkaImage(t), "SECRETS": secrets, "CONFIG": offline(t),
		"GATEWAY_PORT": ports[0], "KAFKA_PORT": ports[1], "CONSOLE_PORT": ports[2],
	} {
		t.Setenv(name, value)
	}
	return gateway, broker
}

// offline is configs/compose.yaml with closed ports in place of Bloomreach and Recharge: a test calls no vendor. The
// placeholder of the key's id is filled in.
func offline(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "configs", "compose.yaml"))
	require.NoError(t, err)
	const vendor = "      url: https://api.exponea.com"
	require.Equal(t, 1, strings.Count(string(content), vendor))
	config := filepath.Join(t.TempDir(), "compose.yaml")
	text := strings.Replace(string(content), "    bloomreach:\n"+vendor,
		"    recharge: {api_url: http://127.0.0.1:9}\n    bloomreach:\n      url: http://127.0.0.1:9", 1)
	require.NotContains(t, text, vendor)
	require.Contains(t, text, "key_id: change-me")
	text = strings.Replace(text, "key_id: change-me", "key_id: of-a-test", 1)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o644)) //nolint:gosec // the container's user has to read it
	return config
}

// kafkaImage is an image of Apache Kafka that the engine holds or can pull, or the one that the environment names.
func kafkaImage(t *testing.T) string {
	t.Helper()
	image, why := kafkatest.Image(t)
	if image == "" {
		t.Skip(why)
	}
	return image
}
