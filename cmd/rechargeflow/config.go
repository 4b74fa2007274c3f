package main

import (
	"context"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// configCheck reads what `run` would read and says whether it is sound.
func configCheck(_ context.Context, c call) int {
	o := newConfigOptions(c)
	if code, ok := o.parseAlone(c); !ok {
		return code
	}
	loaded, ok := o.checked(c)
	if !ok {
		return exitUsage
	}
	say(c.stdout, "configuration is sound, stores: %d\n", len(loaded.Config.Stores))
	return exitOK
}

// checked reads the configuration and what it names, and reports every fault that would keep `run` from starting.
func (o *options) checked(c call) (loaded config.Loaded, ok bool) {
	if loaded, ok = o.load(c, config.NeedStores); !ok {
		return loaded, false
	}
	if err := checkFlows(loaded.Config.Stores); err != nil {
		say(c.stderr, "%v\nrechargeflow: faults in the flows\n", err)
		return loaded, false
	}
	if _, err := clusterOf(loaded.Config.Kafka); err != nil {
		say(c.stderr, "%v\nrechargeflow: faults in the files of kafka.tls\n", err)
		return loaded, false
	}
	return loaded, true
}

// configPrint prints what could be read of the configuration, and reports its faults as configCheck does.
func configPrint(_ context.Context, c call) int {
	o := newConfigOptions(c)
	if code, ok := o.parseAlone(c); !ok {
		return code
	}
	loaded, ok := o.checked(c)
	if err := loaded.Print(c.stdout); err != nil {
		say(c.stderr, "rechargeflow config print: %v\n", err)
		return exitFailed
	}
	if !ok {
		return exitUsage
	}
	return exitOK
}

func configDocs(_ context.Context, c call) int {
	o := newOptions(c)
	if code, ok := o.parseAlone(c); !ok {
		return code
	}
	if err := config.WriteReference(c.stdout); err != nil {
		say(c.stderr, "rechargeflow config docs: %v\n", err)
		return exitFailed
	}
	return exitOK
}
