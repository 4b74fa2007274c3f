package config

// masked stands for a secret wherever one would be shown.
const masked = "***"

// Secret is a text that is never shown: printing, logging or encoding it gives "***", or nothing when
// it is empty. Reveal is the only way to its content.
type Secret string

// Reveal returns the content. Hand it to the client that needs it and nowhere else.
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
