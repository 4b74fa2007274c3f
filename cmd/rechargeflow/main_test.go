package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/embedded"
	"github.com/rechargeflow/rechargeflow/test/lab"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rechargeflow": main})
}

// Each script runs the binary as a user would; its first line describes what it tests. $BROKER is an embedded broker: a script that uses it
// needs a topic prefix of its own. $BLOOMREACH simulates Bloomreach, which refuses sample-13@example.com; $GATEWAY and $ADMIN are free addresses.
func TestScripts(t *testing.T) {
	broker, err := embedded.Start(embedded.Config{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := broker.Close(); err != nil {
			t.Error(err)
		}
	})
	testscript.Run(t, testscript.Params{
		Setup: func(env *testscript.Env) error {
			env.Setenv("BROKER", broker.Brokers()[0])
			env.Values[simulator{}] = startRecharge(env)
			env.Values[trackingSimulator{}] = startBloomreach(env)
			for _, name := range []string{"GATEWAY", "ADMIN"} {
				address, err := lab.FreeAddress()
				if err != nil {
					return err
				}
				env.Setenv(name, address)
			}
			return nil
		},
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "recharge": simulateRecharge, "bloomreach": simulateBloomreach, "eventually": eventually, "webhook": storeWebhook, "raw": listRaw, "records": writeRecords,
		},
	})
}

// eventually runs a command until its standard output has a line like a pattern: eventually '^ready$' rechargeflow ready.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually pattern command [argument...]")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if err == nil && pattern.MatchString(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("no line of standard output is like %q; standard output:\n%s\nstandard error:\n%s", args[0], out, ts.ReadFile("stderr"))
		}
	}
}

// exits runs a command and requires its exit code: exits 2 rechargeflow config check.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [argument...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code is %d, want %d; standard error:\n%s", got, want, ts.ReadFile("stderr"))
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
