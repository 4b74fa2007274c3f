package main

import (
	"context"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// version is set when a release is linked (the linker can set package variables only), with -ldflags "-X main.version=v1.2.3".
var version string

func printVersion(_ context.Context, c call) int {
	o := newOptions(c)
	if code, ok := o.parseAlone(c); !ok {
		return code
	}
	v := telemetry.ReadVersion(version)
	say(c.stdout, "rechargeflow %s, commit %s, %s\n", v.Version, v.Commit, v.Go)
	return exitOK
}
