package main

import (
	"errors"
	"math"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"go.uber.org/zap"
)

// limitMemory sets the soft memory limit of Go's runtime, GOMEMLIMIT, to 90 % of the container's: the collector runs more often before
// the kernel kills the process. The runtime does not read the container's limit itself. A GOMEMLIMIT in the environment stays.
func limitMemory(container memlimit.Provider, log *zap.Logger) {
	limit, err := memlimit.Set(memlimit.WithProvider(container))
	switch {
	case errors.Is(err, memlimit.ErrCgroupsNotSupported), errors.Is(err, memlimit.ErrNoCgroup):
	case err != nil:
		log.Warn("read memory limit of the container failed, GOMEMLIMIT is not set", zap.Error(err))
	case limit < math.MaxInt64:
		log.Info("memory is limited", zap.Int64("gomemlimit", limit))
	}
}
