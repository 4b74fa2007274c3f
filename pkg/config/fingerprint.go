package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// fingerprintLength is that of a Fingerprint: by chance two configurations have the same one once in 2^48.
const fingerprintLength = 12

// Fingerprint returns a hash of the settings that processes with a role must have in common, 12 hexadecimal digits. It has no secret, so none
// can be guessed from it, and nothing that may differ from one machine to the next: addresses, directories, files, credentials,
// what is logged. The order of stores does not matter.
func (c Config) Fingerprint(role string) string {
	hash := sha256.New()
	digest(hash, role, reflect.ValueOf(c), "")
	for _, store := range slices.SortedFunc(slices.Values(c.Stores), func(a, b Store) int { return strings.Compare(a.Name, b.Name) }) {
		digest(hash, role, reflect.ValueOf(store), "stores["+store.Name+"].")
	}
	return hex.EncodeToString(hash.Sum(nil))[:fingerprintLength]
}

// digest writes the keys of a struct that count for a role, and their values.
func digest(out io.Writer, role string, of reflect.Value, prefix string) {
	for i := range of.NumField() {
		field, value := of.Type().Field(i), of.Field(i)
		path := prefix + field.Tag.Get("mapstructure")
		switch {
		case isNoKey(field):
		case field.Type.Kind() == reflect.Struct:
			digest(out, role, value, path+".")
		default:
			if k := declared(field, path); !k.Secret && !isLocal(role, path) && (len(k.Roles) == 0 || slices.Contains(k.Roles, role)) {
				_, _ = fmt.Fprintf(out, "%s=%s\n", path, printed(k, value.Interface())) // a hash returns no error
			}
		}
	}
}

// isLocal reports whether the value of a key outside stores may differ between processes with a role: it belongs to a machine or to another role.
func isLocal(role, path string) bool {
	section, _, _ := strings.Cut(path, ".")
	switch section {
	case "embedded", "gateway", "admin", "log", "tracing", "shutdown_delay", "shutdown_timeout":
		return true
	case "transformer", "sms":
		return section != role || strings.Contains(path, ".state_")
	}
	for _, local := range []string{"kafka.brokers", "kafka.client_", "kafka.tls.", "kafka.sasl."} {
		if strings.HasPrefix(path, local) {
			return true
		}
	}
	return false
}
