package faults_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// whole reports whether the whole suite runs (FAULTS=whole, which `make test-faults` sets) or a sample of it.
func whole() bool { return os.Getenv("FAULTS") == "whole" }

// skipInSample skips a test that is too long for the sample.
func skipInSample(t *testing.T) {
	t.Helper()
	if !whole() {
		t.Skip("not in the sample; `make test-faults` runs it")
	}
}

// parallelInSample runs a test of the sample in parallel with others: most of its time it waits for sessions to end. In the whole
// suite each test runs alone.
func parallelInSample(t *testing.T) {
	t.Helper()
	if !whole() {
		t.Parallel()
	}
}

// pick is one number for the sample and another for the whole suite; the environment overrides both.
func pick(t *testing.T, variable string, sample, all int) int {
	t.Helper()
	if text := os.Getenv(variable); text != "" {
		n, err := strconv.Atoi(text)
		require.NoErrorf(t, err, variable)
		return n
	}
	if whole() {
		return all
	}
	return sample
}

// random is seeded by SEED, or by the clock, and logs the seed. The same seed chooses the same faults, but not their exact times.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := pick(t, "SEED", 0, 0)
	if seed == 0 {
		seed = int(time.Now().UnixNano() % 1_000_000)
	}
	t.Logf("SEED=%d", seed)
	return rand.New(rand.NewPCG(uint64(seed), 0)) //nolint:gosec // reproducible, not secret
}

// between is a random duration from least to most.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)))
}
