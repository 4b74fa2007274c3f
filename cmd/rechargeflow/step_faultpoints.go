//go:build faultpoints

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// faultpoint says where this process ends or stands still: "kill" or "freeze", a blank, the name of a step, a colon and
// the how-manieth time it is, such as "kill transaction ended:3". Its name is not one of ours: those are keys of the
// configuration, and unknown ones are refused.
const faultpoint = "FAULTPOINT"

// step is what a consumer calls between any two steps that a crash may come between.
func step() func(name string) {
	at := os.Getenv(faultpoint)
	if at == "" {
		return nil
	}
	act, place, _ := strings.Cut(at, " ")
	name, count, _ := strings.Cut(place, ":")
	nth, err := strconv.ParseInt(count, 10, 64)
	if err != nil || act != "kill" && act != "freeze" {
		panic(fmt.Sprintf("%s is %q, must be like \"kill transaction ended:3\"", faultpoint, at))
	}
	var seen atomic.Int64
	return func(reached string) {
		if reached == name && seen.Add(1) == nth {
			say(os.Stderr, "{\"msg\":\"faultpoint\",\"reason\":%q}\n", at)
			stop(act)
		}
	}
}

// stop ends the process, or stops it until it is told to go on. The signal may take a moment to arrive: the step must not
// be over before.
func stop(act string) {
	signal := syscall.SIGKILL
	if act == "freeze" {
		signal = syscall.SIGSTOP
	}
	_ = syscall.Kill(os.Getpid(), signal) // to ourselves: always allowed
	time.Sleep(50 * time.Millisecond)
}
