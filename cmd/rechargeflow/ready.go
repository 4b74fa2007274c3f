package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// readyWithin is how long the process may take to answer.
const readyWithin = 3 * time.Second

// ready asks the process that runs here with the same configuration, for health checks in images without a shell.
func ready(ctx context.Context, c call) int {
	o := newConfigOptions(c)
	if code, ok := o.parseAlone(c); !ok {
		return code
	}
	loaded, ok := o.load(c)
	if !ok {
		return exitUsage
	}
	report, err := askReady(ctx, loaded.Config.Admin.Listen)
	if err != nil {
		say(c.stderr, "rechargeflow ready: %v\n", err)
		return exitFailed
	}
	say(c.stdout, "%s\n", report.Status)
	for _, check := range report.Checks {
		if !check.OK {
			say(c.stdout, "%s: %s\n", check.Name, check.Error)
		}
	}
	if report.Status != telemetry.StatusReady {
		return exitFailed
	}
	return exitOK
}

// askReady gets /readyz of the process that serves operators on listen.
func askReady(ctx context.Context, listen string) (telemetry.Report, error) {
	var report telemetry.Report
	address, err := reachable(listen)
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
		return report, fmt.Errorf("ask admin.listen (%s): %w", listen, err)
	}
	defer func() { _ = response.Body.Close() }() // read to its end
	if err := json.NewDecoder(response.Body).Decode(&report); err != nil || report.Status == "" {
		return report, errors.Join(fmt.Errorf("ask admin.listen (%s): answer %d is not a readiness report", listen, response.StatusCode), err)
	}
	return report, nil
}

// reachable turns an address to listen on into one to connect to: every interface becomes loopback.
func reachable(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("read admin.listen: %w", err)
	}
	if port == "0" {
		return "", fmt.Errorf("admin.listen is %s: with port 0 only the process itself knows where it listens", listen)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
