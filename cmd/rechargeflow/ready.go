package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// readyWithin limits the wait for the response.
const readyWithin = 3 * time.Second

func (c *commands) readyCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "ready",
		Short: "Check the readiness of the process on this machine; for health checks",
		Long: `Request /readyz from the process that runs on this machine with the same configuration (admin.listen). Prints the
status and the failed checks. The command fails unless the status is ready.`,
		Example: `  rechargeflow ready --config rechargeflow.yaml`,
		Args:    cli.NoArguments,
	}
	s := c.AddSettings(command)
	command.RunE = func(command *cobra.Command, _ []string) error {
		loaded, fault := s.Load() // a running process does not have the faults of a file that was changed since
		report, err := askReady(command.Context(), loaded.Config.Admin.Listen)
		if err != nil {
			return cmp.Or(fault, err)
		}
		cli.Printf(command.OutOrStdout(), "%s\n", report.Status)
		for _, check := range report.Checks {
			if !check.OK {
				cli.Printf(command.OutOrStdout(), "%s: %s\n", check.Name, check.Error)
			}
		}
		if report.Status != telemetry.StatusReady {
			return cli.ErrReported
		}
		return nil
	}
	return command
}

// askReady requests /readyz of the process whose admin port is at listen.
func askReady(ctx context.Context, listen string) (telemetry.Report, error) {
	var report telemetry.Report
	address, err := reachable("admin.listen", listen)
	if err != nil {
		return report, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
	if err != nil {
		return report, fmt.Errorf("build request: %w", err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: it is this machine
	response, err := client.Do(request)
	if err != nil {
		return report, fmt.Errorf("request readiness from admin.listen (%s): %w", listen, err)
	}
	defer func() { _ = response.Body.Close() }() // read to its end
	if err := json.NewDecoder(response.Body).Decode(&report); err != nil || report.Status == "" {
		return report, errors.Join(fmt.Errorf("request readiness from admin.listen (%s): response with status %d is not a readiness report", listen, response.StatusCode), err)
	}
	return report, nil
}

// reachable converts a listen address, the value of a setting, to one that can be dialed: "all interfaces" becomes loopback.
func reachable(setting, listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", setting, err)
	}
	if port == "0" {
		return "", fmt.Errorf("%s is %s: with port 0 the process chooses a port that is not known here; set a port", setting, listen)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
