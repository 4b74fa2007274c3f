package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// java runs Kafka's own programs from a directory of jars.
type java string

// findJava finds java and the jars; the error says what is missing.
func findJava(t testing.TB) (java, error) {
	t.Helper()
	if _, err := exec.LookPath("java"); err != nil {
		return "", errors.New("no java on PATH")
	}
	jars := os.Getenv(jarsVariable)
	if jars == "" {
		jars = filepath.Join(root(t), ".cache", "kafka", "jars")
	}
	if found, _ := filepath.Glob(filepath.Join(jars, "kafka_*.jar")); len(found) == 0 {
		return "", fmt.Errorf("no Kafka jars in %s (`make kafka-jars` fetches them)", jars)
	}
	return java(jars), nil
}

// needJava skips the test if Kafka's programs can't be run.
func needJava(t testing.TB) java {
	t.Helper()
	j, err := findJava(t)
	if err != nil {
		t.Skip(err)
	}
	return j
}

// small returns java's options for a program that shares the machine: a small heap, one thread for garbage collection, and no
// optimizing compiler, which starts faster.
func small(heap string) []string {
	return []string{"-Xmx" + heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}
}

// command returns a command for one of Kafka's programs.
func (j java) command(ctx context.Context, options []string, class string, arguments ...string) *exec.Cmd {
	all := append(append([]string{}, options...), "-cp", filepath.Join(string(j), "*"), class)
	return exec.CommandContext(ctx, "java", append(all, arguments...)...)
}

// root returns the directory of go.mod.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	require.Fail(t, "no go.mod above the test's directory")
	return ""
}
