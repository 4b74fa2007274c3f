// Package config reads the settings of Rechargeflow: defaults, then one YAML file, then the environment.
//
// One declaration, the struct tree under Config, defines everything: the keys of the file, the names of
// the environment variables, defaults, checks, `config print` and the reference. Read in this order:
//
//	config.go              Config             the settings, with default and description
//	kafka.go               Kafka              the settings of the brokers
//	store.go               Store              the settings of one store, and the rules across its keys
//	sms.go                 SMS                how a store sends texts, a block for each driver
//	console.go             Console            who may use the console, and where it is reached
//	key.go                 Keys               the declaration as a list
//	value.go               Key.parse          parses a value and checks its form
//	size.go                Size               a number of bytes
//	secret.go              Secret             a value that is never shown
//	load.go                Load               the order of precedence, all faults at once
//	scope.go               scope              the values of one set of keys, by origin
//	file.go                file               YAML: unknown keys, duplicate keys, line numbers
//	environ.go             environment        RECHARGEFLOW_*, and RECHARGEFLOW_*_FILE for secrets
//	rules.go               checkRules         rules across keys
//	rules_kafka.go         checkKafka         rules across the keys of the brokers
//	rules_links.go         checkLinks         rules across the keys of short links
//	rules_console.go       checkConsole       rules across the keys of the console
//	rules_placeholders.go  checkPlaceholders  values that examples show in place of one's own
//	warnings.go            checkDestinations  values that are valid and probably not intended
//	files.go               Loaded.Reload      the files that were read, and whether they have changed
//	difference.go          Difference         what differs between two configurations, and what needs a restart
//	fault.go               Faults             the error of Load
//	reference.go           WriteReference     docs/configuration.md, from the declaration
//	print.go               Loaded.Print       every key, its value and its origin
//	fingerprint.go         Config.Fingerprint what processes with a role must have in common, as a hash
//
// Viper holds the layers and fills the structs; no other package imports it. Three of its habits are
// avoided by design, each with a test: unknown keys never reach it (Load reports them), every key has a
// default (so that a key set by the environment alone counts), and no setting is a map whose keys are the
// user's (Viper lower-cases them).
package config
