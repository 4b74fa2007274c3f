// Package configs carries the files that a Rechargeflow installation starts from, built into the binary.
package configs

import _ "embed"

//go:embed flows.yaml
var flows []byte

// Flows returns the built-in flows.yaml: the twelve flows in the order of the user interface, with their default texts.
// The caller owns the copy.
func Flows() []byte {
	return append([]byte(nil), flows...)
}
