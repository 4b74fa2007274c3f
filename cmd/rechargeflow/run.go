package main

import (
	"errors"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/app"
	"github.com/rechargeflow/rechargeflow/app/reload"
	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
)

// faultPointVariable names a fault point, see app.Options. It does not have the prefix of configuration variables, because
// unknown ones are errors.
const faultPointVariable = "FAULTPOINT"

// rolesOr returns the named roles, or all roles if none is named.
func rolesOr(named []string) []string {
	if len(named) > 0 {
		return named
	}
	return config.Roles()
}

// reloadEvery is how often the files of the configuration are compared with what was loaded.
const reloadEvery = 2 * time.Second

// reloads returns when a configuration is loaded again: on SIGHUP, which no longer kills the process, and after a change of its files. The
// returned function ends that.
func reloads(loaded config.Loaded) (source *reload.Source, stop func()) {
	hangups, ticker := make(chan os.Signal, 1), time.NewTicker(reloadEvery)
	signal.Notify(hangups, syscall.SIGHUP)
	return &reload.Source{Loaded: loaded, Hangups: hangups, Ticks: ticker.C}, func() {
		signal.Stop(hangups)
		ticker.Stop()
	}
}

func (c *commands) runCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "run [role...]",
		Short: "Run the given roles, or all of them in one process",
		Long: `Run the given roles, or all of them in one process, until SIGTERM or SIGINT.

Roles: ` + app.JoinRoles(topology.Roles()) + `. Without kafka.brokers the process starts an embedded broker,
for trials on one machine, and must run all roles.

On SIGHUP, or when a file of the configuration changes, the configuration is loaded again: stores, their secrets and
limits and the log level are taken up, and a log line names what needs a restart.`,
		Example: `  rechargeflow run --config rechargeflow.yaml
  rechargeflow run gateway transformer`,
		ValidArgsFunction: cli.CompleteRoles(topology.Roles()),
	}
	s := c.AddSettings(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		loaded, err := s.Load(rolesOr(args)...)
		if err != nil {
			return err
		}
		log, level, err := telemetry.NewLogger(loaded.Config.Log.Level, command.ErrOrStderr())
		if err != nil {
			return cli.Setting(err)
		}
		defer zap.RedirectStdLog(log)() // HTTP clients report misbehaving servers there
		limitMemory(memlimit.FromCgroup, log)
		for _, warning := range loaded.Warnings {
			log.Warn("configuration: " + warning.String())
		}
		var roles []topology.Role
		for _, name := range args {
			roles = append(roles, topology.Role(name))
		}
		source, stop := reloads(loaded)
		defer stop()
		a, err := app.New(loaded.Config, roles, app.Options{
			Log: log, LogLevel: level, Version: c.Version, FaultPoint: cli.Variable(c.Environ, faultPointVariable), Reload: source,
		})
		if err != nil {
			return cli.Setting(err)
		}
		if err := a.Run(command.Context()); err != nil {
			log.Error("stopped with an error", zap.Error(err))
			return cli.ErrReported
		}
		log.Info("stopped")
		return nil
	}
	return command
}

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
