package image_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/kafka"
	"github.com/rechargeflow/rechargeflow/pkg/kafka/kafkatest"
	"github.com/rechargeflow/rechargeflow/pkg/recharge/rechargetest"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

const (
	secret = "image-client-secret"
	topic  = "subscription/created"
)

// TestImage builds the image as `make image` does and runs it as it is meant to be run: nothing writable but a
// volume, no privileges, no root.
func TestImage(t *testing.T) {
	needEngine(t)
	image := build(t)
	t.Run("is one binary of an unprivileged user", func(t *testing.T) {
		assert.Equal(t, "65532:65532", docker(t, "image", "inspect", "-f", "{{.Config.User}}", image))
		size, err := strconv.Atoi(docker(t, "image", "inspect", "-f", "{{.Size}}", image))
		require.NoError(t, err)
		assert.Less(t, size, 64<<20, "bytes")
		assert.Contains(t, docker(t, "run", "--rm", image, "version"), "rechargeflow ")
		assert.NotContains(t, docker(t, "image", "inspect", "-f", "{{json .Config}}", image), `"Volumes":{"`, "every container would get one")
	})
	t.Run("on its own", func(t *testing.T) { alone(t, image) })
	t.Run("on a broker", func(t *testing.T) { onBroker(t, image) })
	t.Run("compose", func(t *testing.T) { compose(t, image) })
}

// build makes the image under a name of the test's own and removes it with the test.
func build(t *testing.T) string {
	t.Helper()
	name := "rechargeflow-test-" + strings.ToLower(rand.Text()[:8])
	t.Cleanup(func() { // by name: the same image may have names that are not the test's
		names := strings.Fields(docker(t, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", name))
		docker(t, append([]string{"image", "rm"}, names...)...)
	})
	command(t, "make", "-s", "-C", root, "image", "IMAGE="+name)
	return name
}

// restrictions are those of every container.
func restrictions() []string {
	return []string{"--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"}
}

// alone runs a trial with the embedded broker in a new volume, which belongs to the image's user: reached by its published
// ports, stopped, started again.
func alone(t *testing.T, image string) {
	config := filepath.Join(t.TempDir(), "rechargeflow.yaml")
	write(t, config, "admin: {listen: \":9090\"}\nstores: [{name: acme, recharge: {secrets: ["+secret+"], token: t}, bloomreach: {enabled: false}, sms: {driver: log}}]\n")
	args := append([]string{
		"run", "-d", "-p", "127.0.0.1::8080", "-p", "127.0.0.1::9090",
		"-v", config + ":/etc/rechargeflow/rechargeflow.yaml:ro", "-v", image + ":/var/lib/rechargeflow",
	}, restrictions()...)
	t.Cleanup(func() { docker(t, "volume", "rm", "-f", image) })
	id := docker(t, append(args, image)...)
	t.Cleanup(func() { docker(t, "rm", "-f", "-v", id) })

	for _, total := range []int{1, 2} {
		eventually(t, func() bool { return healthy(t, id) })
		gateway, admin := published(t, id, "8080"), published(t, id, "9090")
		assert.Equal(t, http.StatusOK, post(t, gateway, secret, subscription(total)))
		assert.Equal(t, http.StatusUnauthorized, post(t, gateway, "not the secret", subscription(total)))
		eventually(t, func() bool {
			page := get(t, "http://"+admin+"/metrics")
			return strings.Contains(page, `outcome="accepted",reason="",role="gateway",store="acme"} 1`) && strings.Contains(page, `role="sms"`)
		})
		docker(t, "stop", "-t", "30", id)
		assert.Equal(t, "0", docker(t, "inspect", "-f", "{{.State.ExitCode}}", id), "%s", docker(t, "logs", id))
		docker(t, "start", id)
	}
}

// onBroker runs all roles in one container, on the host's network, between a broker and simulators of the destinations.
func onBroker(t *testing.T, image string) {
	dir, broker := t.TempDir(), kafkatest.Choose(t)
	l, err := lab.New(dir, dockerRun(t, dir, image))
	require.NoError(t, err)
	t.Cleanup(l.Close)
	l.Brokers, l.Prefix, l.Flows = []string{broker.Addr()}, lab.RandomPrefix("image"), []string{"subscription_started"}
	require.NoError(t, l.ApplyTopics(t.Context()))
	p, err := l.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(p.Kill)

	status, _, err := l.Send(t.Context(), lab.Webhook{Store: lab.Store, Topic: topic, Body: subscription(1)})
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
	eventually(t, func() bool { return len(l.Bloomreach.Events()) == 1 && len(l.Texts.Texts()) == 1 })
	records, err := kafkatest.ReadAll(t.Context(), broker.Cluster(), topology.Topics{Prefix: l.Prefix}.Webhooks())
	require.NoError(t, err)
	webhooks := slices.DeleteFunc(records, func(r kafka.Record) bool { return r.Header(envelope.HeaderSource) != envelope.SourceWebhook })
	require.Len(t, webhooks, 1, "without the transformer's own records")
	assert.Equal(t, string(subscription(1)), string(webhooks[0].Value))
	require.NoError(t, p.Stop(30*time.Second), "SIGTERM, exit code 0; %s", p.Output())
}

// dockerRun writes a program that takes the binary's place: it runs the image, in a directory that both sides see.
func dockerRun(t *testing.T, dir, image string) string {
	t.Helper()
	path, ids := filepath.Join(t.TempDir(), "rechargeflow"), t.TempDir()
	write(t, path, fmt.Sprintf(`#!/bin/sh
chmod -R a+rwX %[1]s
exec docker run --rm --cidfile %[2]s/$$ --network host -v %[1]s:%[1]s -w %[1]s %[3]s %[4]s "$@"
`, dir, ids, strings.Join(restrictions(), " "), image))
	require.NoError(t, os.Chmod(path, 0o700))
	t.Cleanup(func() { // one that was killed left its container behind
		files, err := filepath.Glob(ids + "/*")
		require.NoError(t, err)
		for _, file := range files {
			id, err := os.ReadFile(file)
			require.NoError(t, err)
			docker(t, "rm", "-f", "-v", string(id))
		}
	})
	return path
}

// subscription is a webhook body that names its customer.
func subscription(id int) []byte {
	return fmt.Appendf(nil, `{"subscription":{"id":%d,"customer_id":7,"status":"active","price":"9.99","quantity":1,`+
		`"created_at":%[2]q,"updated_at":%[2]q},"customer":{"id":7,"email":"c7@example.com","phone":"+15035550007","hash":"h7"}}`,
		1000+id, time.Now().UTC().Truncate(time.Hour).Format("2006-01-02T15:04:05+00:00"))
}

// post sends a signed webhook and returns the answer's status.
func post(t *testing.T, gateway, secret string, body []byte) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+gateway+"/webhooks/acme/"+topic, bytes.NewReader(body))
	require.NoError(t, err)
	rechargetest.Sign(request.Header, body, secret, time.Now())
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return string(body)
}
