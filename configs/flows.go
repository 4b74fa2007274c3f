// Package configs embeds the default flows and topics into the binary.
package configs

import _ "embed"

//go:embed flows.yaml
var flows []byte

// Flows returns a copy of flows.yaml: the twelve flows in the order of the user interface, with their default texts.
func Flows() []byte {
	return append([]byte(nil), flows...)
}
