package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

const (
	configVariable = "RECHARGEFLOW_CONFIG"
	configFile     = "rechargeflow.yaml"
)

// options are the flags of one command.
type options struct {
	set    *flag.FlagSet
	config string
}

// newOptions are those of a command that reads no configuration.
func newOptions(c call) *options {
	set := flag.NewFlagSet(c.command.name, flag.ContinueOnError)
	set.SetOutput(io.Discard) // parse says what is to be said
	return &options{set: set}
}

// newConfigOptions are those of a command that reads the configuration.
func newConfigOptions(c call) *options {
	o := newOptions(c)
	o.set.StringVar(&o.config, "config", "", "configuration `file`")
	return o
}

// parse reads the flags. With ok false the command is over, with that exit code.
func (o *options) parse(c call) (code int, ok bool) {
	err := o.set.Parse(c.args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		o.usage(c, c.stdout)
		return exitOK, false
	case err != nil:
		say(c.stderr, "rechargeflow %s: %v\n", c.command.name, err)
		o.usage(c, c.stderr)
		return exitUsage, false
	}
	for _, arg := range o.set.Args() {
		if strings.HasPrefix(arg, "-") {
			say(c.stderr, "rechargeflow %s: %s comes too late, flags go first\n", c.command.name, arg)
			o.usage(c, c.stderr)
			return exitUsage, false
		}
	}
	return exitOK, true
}

// parseAlone is parse for a command that takes flags only.
func (o *options) parseAlone(c call) (code int, ok bool) {
	if code, ok = o.parse(c); !ok {
		return code, false
	}
	if o.set.NArg() > 0 {
		say(c.stderr, "rechargeflow %s: unexpected %q\n", c.command.name, o.set.Arg(0))
		o.usage(c, c.stderr)
		return exitUsage, false
	}
	return exitOK, true
}

func (o *options) usage(c call, w io.Writer) {
	say(w, "usage: rechargeflow %s %s\n%s\n", c.command.name, c.command.args, c.command.summary)
	o.set.SetOutput(w)
	o.set.PrintDefaults()
}

// load reads the configuration and reports its faults. With ok false the command is over; what it loaded is for printing.
func (o *options) load(c call, needs ...config.Need) (loaded config.Loaded, ok bool) {
	loaded, err := config.Load(o.path(c.environ), c.environ, needs...)
	var faults *config.Faults
	switch {
	case errors.As(err, &faults):
		say(c.stderr, "%v\nrechargeflow: faults in the configuration: %d\n", faults, len(faults.List))
		return loaded, false
	case err != nil:
		say(c.stderr, "rechargeflow: %v\n", err)
		return config.Loaded{}, false
	}
	return loaded, true
}

// path is the configuration file to read: the flag's, else the environment's, else the usual one where it exists.
func (o *options) path(environ []string) string {
	if o.config != "" {
		return o.config
	}
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); name == configVariable && value != "" {
			return value
		}
	}
	if _, err := os.Stat(configFile); err == nil {
		return configFile
	}
	return ""
}
