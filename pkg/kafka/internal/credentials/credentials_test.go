package credentials_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/credentials"
)

// hidden is a part of every secret of these tests. No error may contain it.
const hidden = "hidden"

func write(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
}

// warnings collects what is reported. It fails the test if a warning has a secret.
type warnings struct {
	t     *testing.T
	mutex sync.Mutex
	all   []string
}

func (w *warnings) warn(err error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	assert.NotContains(w.t, err.Error(), hidden)
	w.all = append(w.all, err.Error())
}

func (w *warnings) list() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.all
}

// A file is read each time. What can't be read is replaced by what was read last, with one warning a minute.
func TestFileIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "secret")
		w := &warnings{t: t}
		password := credentials.PasswordFile(name, "kafka.sasl.password", w.warn)
		_, err := password(t.Context())
		require.EqualError(t, err, "kafka.sasl.password: read the file: no such file or directory")

		expect := func(want string) {
			t.Helper()
			got, err := password(t.Context())
			require.NoError(t, err)
			assert.Equal(t, want, got)
		}
		write(t, name, "hidden one\n")
		expect("hidden one")
		write(t, name, "hidden two\r\n")
		expect("hidden two")
		assert.Empty(t, w.list())

		for _, bad := range []string{"", "\n", "hidden\nthree\n"} {
			write(t, name, bad)
			expect("hidden two")
		}
		assert.Equal(t, []string{"kafka.sasl.password: the file must contain the password on one line"}, w.list())
		require.NoError(t, os.Remove(name))
		time.Sleep(time.Minute)
		expect("hidden two")
		expect("hidden two")
		assert.Len(t, w.list(), 2, "one a minute")
		write(t, name, "hidden four")
		expect("hidden four")
	})
}

func TestTokenFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "token")
	token := credentials.TokenFile(name, "kafka.sasl.token_file", nil)
	write(t, name, "hidden token\n")
	_, err := token(t.Context())
	require.ErrorContains(t, err, "kafka.sasl.token_file: expected a bearer token")
	assert.NotContains(t, err.Error(), hidden)
	write(t, name, " hidden.token_1==\n")
	got, err := token(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "hidden.token_1==", got)
}

// script returns a command that runs a shell script and counts its runs.
func script(t *testing.T, text string) (command credentials.Command, runs func() int) {
	t.Helper()
	dir := t.TempDir()
	count := filepath.Join(dir, "runs")
	name := filepath.Join(dir, "token.sh")
	require.NoError(t, os.WriteFile(name, []byte("#!/bin/sh\necho run >> "+count+"\n"+text), 0o700)) //nolint:gosec // it is run
	return credentials.Command{Argv: []string{"/bin/sh", name, "hidden argument"}, Setting: "kafka.sasl.token_command"}, func() int {
		content, _ := os.ReadFile(count) // absent before the first run
		return strings.Count(string(content), "run")
	}
}

func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(claims)) + "."
}

// A command runs again after three quarters of the token's lifetime, wherever the expiry stands.
func TestCommandRunsBeforeTheTokenExpires(t *testing.T) {
	start := time.Now().Truncate(time.Second)
	signed := base64.RawURLEncoding.EncodeToString([]byte(
		"https://kafka.us-east-1.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Expires=1000&X-Amz-Date=" + start.UTC().Format("20060102T150405Z")))
	for name, output := range map[string]string{
		"JWT":               jwt(fmt.Sprintf(`{"sub":"us","exp":%d}`, start.Unix()+1000)),
		"OAuth":             `{"access_token":"hidden-1","token_type":"Bearer","expires_in":1000}`,
		"expiration_time":   fmt.Sprintf(`{"token":"hidden-1","expiration_time_ms":%d}`, start.UnixMilli()+1000_000),
		"Amazon MSK":        signed,
		"JWT in a response": `{"access_token":"` + jwt(fmt.Sprintf(`{"exp":%d}`, start.Unix()+1000)) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			command, runs := script(t, "cat <<'END'\n"+output+"\nEND\n")
			now := start
			command.Now = func() time.Time { return now }
			token := command.Token(nil)
			get := func() {
				t.Helper()
				text, err := token(t.Context())
				require.NoError(t, err)
				assert.Contains(t, output, text)
			}
			get()
			now = start.Add(749 * time.Second)
			get()
			assert.Equal(t, 1, runs())
			now = start.Add(751 * time.Second)
			get()
			assert.Equal(t, 2, runs())
		})
	}
}

func TestCommandWithoutExpiryRunsForEachConnection(t *testing.T) {
	command, runs := script(t, "echo hidden-token\n")
	now := time.Now()
	command.Now = func() time.Time { return now }
	token := command.Token(nil)
	for i := range 3 {
		text, err := token(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "hidden-token", text)
		assert.Equal(t, i+1, runs())
		now = now.Add(6 * time.Second)
	}
}

// Connections that open at the same time share a run.
func TestCommandRunsOnceForAll(t *testing.T) {
	command, runs := script(t, "sleep 0.2\necho hidden-token\n")
	token := command.Token(nil)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			text, _ := token(t.Context()) // empty after an error
			assert.Equal(t, "hidden-token", text)
		})
	}
	all.Wait()
	assert.Equal(t, 1, runs())
}

// A caller whose time is over leaves, and the run's token is there for the next one.
func TestSlowCommandServesTheNextConnection(t *testing.T) {
	command, runs := script(t, "sleep 0.3\necho hidden-token\n")
	token := command.Token(nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := token(ctx)
	require.ErrorContains(t, err, "kafka.sasl.token_command: the command is still running")
	text, err := token(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "hidden-token", text)
	assert.Equal(t, 1, runs())
}

// While the command fails its last token is used until that expires.
func TestFailingCommandKeepsTheToken(t *testing.T) {
	dir := t.TempDir()
	state := filepath.Join(dir, "ok")
	write(t, state, "")
	command, _ := script(t, "test -f "+state+" || { echo hidden >&2; exit 3; }\necho '{\"token\":\"hidden-1\",\"expires_in\":100}'\n")
	now := time.Now()
	command.Now = func() time.Time { return now }
	w := &warnings{t: t}
	token := command.Token(w.warn)
	_, err := token(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.Remove(state))
	for _, after := range []time.Duration{80 * time.Second, 90 * time.Second} {
		now = now.Add(after - 79*time.Second)
		if after == 80*time.Second {
			now = now.Add(79 * time.Second)
		}
		text, err := token(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "hidden-1", text)
	}
	const failed = "kafka.sasl.token_command: run the command: exit status 3; run it in a terminal to see its messages"
	assert.Equal(t, []string{failed}, w.list())
	now = now.Add(time.Hour)
	_, err = token(t.Context())
	require.EqualError(t, err, failed)
	write(t, state, "")
	_, err = token(t.Context())
	require.NoError(t, err)
}

func TestCommandErrorsHideTheSecret(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"fails":           {"echo hidden; exit 1", "exit status 1"},
		"no token":        {"true", "expected a bearer token"},
		"two lines":       {"echo hidden; echo hidden", "expected a bearer token"},
		"broken JSON":     {`echo '{"token":"hidden'`, "can't be read"},
		"JSON of another": {`echo '{"secret":"hidden"}'`, "expected a bearer token"},
		"too much":        {"yes hidden", "wrote more than 65536 bytes"},
		"expired":         {`echo '{"token":"hidden","expiration_time_ms":1000}'`, "returned a token that has expired"},
	} {
		t.Run(name, func(t *testing.T) {
			command, _ := script(t, c.script+"\n")
			_, err := command.Token(nil)(t.Context())
			require.ErrorContains(t, err, "kafka.sasl.token_command: ")
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), hidden)
		})
	}
	_, err := credentials.Command{Argv: []string{"absent-program", "hidden"}, Setting: "kafka.sasl.token_command"}.Token(nil)(t.Context())
	require.ErrorContains(t, err, "executable file not found")
	assert.NotContains(t, err.Error(), hidden)
}

// The command gets the environment without our own variables, which contain secrets.
func TestCommandEnvironment(t *testing.T) {
	t.Setenv("RECHARGEFLOW_STORE_ACME_RECHARGE_TOKEN", "hidden")
	t.Setenv("AWS_REGION", "us-east-1")
	command, _ := script(t, "echo region-$AWS_REGION-$RECHARGEFLOW_STORE_ACME_RECHARGE_TOKEN\n")
	text, err := command.Token(nil)(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "region-us-east-1-", text)
}
