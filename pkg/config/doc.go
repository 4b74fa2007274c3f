// Package config reads the settings of Rechargeflow: defaults, then one YAML file, then the environment.
//
// One declaration, the struct tree under Config, feeds everything: the keys of the file, the names of
// the environment variables, defaults, checks, `config print` and the reference. Read in this order:
//
//	config.go   Config         what can be set, with default and meaning
//	kafka.go    Kafka          the same for the brokers
//	store.go    Store          the same for one store
//	key.go      Keys           the declaration as a list
//	value.go    Key.parse      text to value, and what a value must look like
//	load.go     Load           the order of precedence, all faults at once
//	file.go                    YAML: unknown keys, keys given twice, line numbers
//	environ.go                 RECHARGEFLOW_*, and RECHARGEFLOW_*_FILE for secrets
//	rules.go                   what one key alone cannot tell; rules_kafka.go for the brokers
//	reference.go               docs/configuration.md, from the declaration
//	print.go    Loaded.Print   every key, its value and where it comes from
//
// Viper holds the layers and fills the structs; no other package imports it. Three of its habits are
// kept out by design, each with a test: unknown keys never reach it (Load names them), every key has a
// default (a key that only the environment sets counts), and no setting is a map whose keys are the
// user's (Viper lower-cases them).
package config
