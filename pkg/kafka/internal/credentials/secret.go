package credentials

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"
)

// Secret returns a password or token for a new connection. It may be called by many goroutines. Its errors do not contain the
// secret.
type Secret func(ctx context.Context) (string, error)

// Static returns a secret that never changes.
func Static(text string) Secret {
	return func(context.Context) (string, error) { return text, nil }
}

// PasswordFile returns the password in a file, without a newline at its end. setting is named in errors.
func PasswordFile(name, setting string, warn Warn) Secret {
	return fromFile(name, setting, warn, func(content string) (string, error) {
		text := strings.TrimSuffix(strings.TrimSuffix(content, "\n"), "\r")
		if text == "" || strings.ContainsFunc(text, unicode.IsControl) {
			return "", errors.New("the file must contain the password on one line")
		}
		return text, nil
	})
}

// TokenFile returns the token in a file, without white space around it. setting is named in errors.
func TokenFile(name, setting string, warn Warn) Secret {
	return fromFile(name, setting, warn, func(content string) (string, error) { return parseToken(strings.TrimSpace(content)) })
}

func fromFile(name, setting string, warn Warn, parse func(string) (string, error)) Secret {
	source := newReloaded(func() (string, error) {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("%s: read the file: %w", setting, withoutPath(err))
		}
		text, err := parse(string(content))
		if err != nil {
			return "", fmt.Errorf("%s: %w", setting, err)
		}
		return text, nil
	}, warn)
	return func(context.Context) (string, error) { return source.get() }
}
