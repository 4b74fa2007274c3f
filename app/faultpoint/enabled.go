//go:build faultpoints

package faultpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// New returns what consumers and state call at each named step. It kills or freezes the process at the fault point:
// "kill" or "freeze", a blank, the name of a step, a colon and at which of its calls, such as "kill transaction ended:3".
// Without a fault point it returns nil.
func New(faultPoint string, log *zap.Logger) (func(name string), error) {
	if faultPoint == "" {
		return nil, nil
	}
	act, place, _ := strings.Cut(faultPoint, " ")
	name, count, _ := strings.Cut(place, ":")
	nth, err := strconv.ParseInt(count, 10, 64)
	if err != nil || act != "kill" && act != "freeze" {
		return nil, fmt.Errorf("fault point is %q, must be like \"kill transaction ended:3\"", faultPoint)
	}
	var seen atomic.Int64
	return func(reached string) {
		if reached == name && seen.Add(1) == nth {
			log.Warn("faultpoint", zap.String("reason", faultPoint))
			stop(act)
		}
	}, nil
}

// stop kills the process, or freezes it until SIGCONT. The signal may take a moment to arrive: the step must not end before.
func stop(act string) {
	signal := syscall.SIGKILL
	if act == "freeze" {
		signal = syscall.SIGSTOP
	}
	_ = syscall.Kill(os.Getpid(), signal) // to this process: always allowed
	time.Sleep(50 * time.Millisecond)
}
