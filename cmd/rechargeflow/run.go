package main

import (
	"errors"
	"math"
	"os"
	"os/signal"
	"syscall"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/app"
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

// ignoreHangup keeps SIGHUP from killing the process, which is what it does by default. Some send it to have a configuration read
// again, so a log line says that a restart is needed. The returned function ends that.
func ignoreHangup(log *zap.Logger) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			log.Warn("SIGHUP ignored: the configuration is read at start, restart the process to change it")
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
	}
}

func (c *commands) runCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "run [role...]",
		Short: "Run the given roles, or all of them in one process",
		Long: `Run the given roles, or all of them in one process, until SIGTERM or SIGINT.

Roles: ` + app.JoinRoles(topology.Roles()) + `. Without kafka.brokers the process starts an embedded broker,
for trials on one machine, and must run all roles.`,
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
		a, err := app.New(loaded.Config, roles, app.Options{
			Log: log, LogLevel: level, Version: c.Version, FaultPoint: cli.Variable(c.Environ, faultPointVariable),
		})
		if err != nil {
			return cli.Setting(err)
		}
		defer ignoreHangup(log)()
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
