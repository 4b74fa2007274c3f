package config

// masked is printed in place of a secret.
const masked = "***"

// Secret is a string that is never printed: formatting, logging or encoding it gives "***", or nothing if it is empty. Only
// Reveal returns its content.
type Secret string

// Reveal returns the content.
func (s Secret) Reveal() string { return string(s) }

// String returns "***", or "" for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString returns what String returns, for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText returns what String returns, for JSON, YAML and loggers.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
