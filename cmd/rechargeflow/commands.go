package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

// What the process exits with.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or configuration: the same call fails again
)

// command is what a user can ask for.
type command struct {
	name    string // as typed: "config check"
	args    string // what may follow
	summary string
	run     func(ctx context.Context, c call) int
}

// call is one use of a command. Nothing but main reads the environment or the standard streams.
type call struct {
	command command
	args    []string
	environ []string
	stdout  io.Writer
	stderr  io.Writer
}

func commands() []command {
	return []command{
		{"run", "[-config file] [role...]", "run the roles named, or all of them in one process", runCommand},
		{"config check", "[-config file]", "report every fault of the configuration and the flows", configCheck},
		{"config print", "[-config file]", "print every key, its value and where that comes from; secrets as ***", configPrint},
		{"config docs", "", "write the reference of all keys, docs/configuration.md", configDocs},
		{"webhooks docs", "", "write what becomes of each of Recharge's topics, docs/webhooks.md", webhooksDocs},
		{"topics plan", "[-config file] [-file topics.yaml]", "compare the topics of the brokers with what they should be; change nothing", topicsPlan},
		{"topics apply", "[-config file] [-file topics.yaml]", "create and adjust the topics; never what could harm their records", topicsApply},
		{"deadletter list", "[-config file] [-role role] [-store store] [-reason reason] [-key key] [-since time] [-until time] [-limit lines]", "print what roles could not work on, why, and what was sent to them again", deadletterList},
		{"deadletter show", "[-config file] [-body] role/partition/offset", "print one dead letter; keys and headers name a customer by number, the body has personal data", deadletterShow},
		{"deadletter replay", "[-config file] [filters of list] [-rate n] [-again] [-yes] [role/partition/offset...]", "count dead letters and, with -yes, send them to their roles once more; not those that were sent before", deadletterReplay},
		{"lag", "[-config file] [-json] [-max-seconds n] [-max-records n]", "print how far each consumer group is behind, in records and seconds, and who reads; fail beyond a limit", lag},
		{"ready", "[-config file]", "ask the process that runs here with this configuration whether it is ready; for health checks", ready},
		{"version", "", "print which build this is", printVersion},
		{"help", "", "print this", help},
	}
}

// run finds the command that args begin with and returns its exit code.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help") {
		args = []string{"help"}
	}
	typed := strings.Join(args, " ") + " "
	for _, c := range commands() {
		if strings.HasPrefix(typed, c.name+" ") {
			words := strings.Count(c.name, " ") + 1
			return c.run(ctx, call{command: c, args: args[words:], environ: environ, stdout: stdout, stderr: stderr})
		}
	}
	if len(args) == 0 {
		say(stderr, "%s", usage())
		return exitUsage
	}
	if group := groupOf(args[0]); len(group) > 0 {
		return inGroup(args, group, stdout, stderr)
	}
	say(stderr, "rechargeflow: there is no command %q\n\n%s", strings.Join(args[:min(len(args), 2)], " "), usage())
	return exitUsage
}

// groupOf are the commands whose first of two words is this one.
func groupOf(word string) []command {
	return slices.DeleteFunc(commands(), func(c command) bool { return !strings.HasPrefix(c.name, word+" ") })
}

// inGroup answers who names a group of commands and none of it.
func inGroup(args []string, group []command, stdout, stderr io.Writer) int {
	var list strings.Builder
	table := tabwriter.NewWriter(&list, 0, 0, 2, ' ', 0)
	for _, c := range group {
		say(table, "  rechargeflow %s\t%s\n", c.name, c.summary)
	}
	_ = table.Flush() // into memory
	list.WriteString("\n-h behind one of them explains its flags\n")
	switch {
	case len(args) == 1:
		say(stderr, "rechargeflow: which of these?\n\n%s", &list)
	case strings.HasPrefix(args[1], "-h") || args[1] == "--help":
		say(stdout, "%s", &list)
		return exitOK
	default:
		say(stderr, "rechargeflow: there is no command %q, but these:\n\n%s", args[0]+" "+args[1], &list)
	}
	return exitUsage
}

// runCommand runs roles until the context ends or one of them fails.
func runCommand(ctx context.Context, c call) int {
	o := newConfigOptions(c)
	if code, ok := o.parse(c); !ok {
		return code
	}
	loaded, ok := o.load(c, config.NeedStores)
	if !ok {
		return exitUsage
	}
	return runRoles(ctx, loaded, o.set.Args(), c.stderr)
}

func help(_ context.Context, c call) int {
	say(c.stdout, "%s", usage())
	return exitOK
}

func usage() string {
	var text strings.Builder
	text.WriteString("Rechargeflow brings Recharge's webhooks to Bloomreach and into text messages.\n\nUsage:\n")
	for _, c := range commands() {
		say(&text, "  %s\n      %s\n", strings.TrimSpace("rechargeflow "+c.name+" "+c.args), c.summary)
	}
	text.WriteString(`
Roles: gateway, transformer, tracking, sms.

The configuration is the file that -config names, else the one that RECHARGEFLOW_CONFIG names, else
./rechargeflow.yaml where there is one. The environment wins over the file: gateway.listen is
RECHARGEFLOW_GATEWAY_LISTEN. configs/rechargeflow.yaml explains every key.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
`)
	return text.String()
}

// say writes to one of the standard streams. When that is gone there is nobody left to tell.
func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format, args...)
}
