package faults_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// whole tells whether all of the suite is asked for (FAULTS=whole, which `make test-faults` sets) or a sample of it.
func whole() bool { return os.Getenv("FAULTS") == "whole" }

// onlyWhole skips what is too long for a sample.
func onlyWhole(t *testing.T) {
	t.Helper()
	if !whole() {
		t.Skip("not in the sample; `make test-faults` runs it")
	}
}

// together lets a test of the sample run beside others: most of its time it waits for sessions to end. In the whole suite
// each has the machine for itself.
func together(t *testing.T) {
	t.Helper()
	if !whole() {
		t.Parallel()
	}
}

// pick is one number for the sample and another for the whole, unless the environment says how many.
func pick(t *testing.T, variable string, sample, all int) int {
	t.Helper()
	if asked := os.Getenv(variable); asked != "" {
		n, err := strconv.Atoi(asked)
		require.NoErrorf(t, err, variable)
		return n
	}
	if whole() {
		return all
	}
	return sample
}

// dice are seeded by SEED, or by the clock, and say by what: the same seed chooses the same faults, though not the instant
// in which each meets a process.
func dice(t *testing.T) *rand.Rand {
	t.Helper()
	seed := pick(t, "SEED", 0, 0)
	if seed == 0 {
		seed = int(time.Now().UnixNano() % 1_000_000)
	}
	t.Logf("SEED=%d", seed)
	return rand.New(rand.NewPCG(uint64(seed), 0)) //nolint:gosec // to be repeated, not to be secret
}

// between is a time from least to most.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)))
}
