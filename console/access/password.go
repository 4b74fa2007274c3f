package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"
)

// Bounds of passwords: characters at least, and bytes at most, which is bcrypt's own limit.
const (
	MinPassword = 12
	maxPassword = 72
	cost        = 12
)

// HashPassword returns the bcrypt hash of a password.
func HashPassword(password string) (string, error) {
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return "", fmt.Errorf("the password has %d characters, expected at least %d", utf8.RuneCountInString(password), MinPassword)
	case len(password) > maxPassword:
		return "", fmt.Errorf("the password has %d bytes, of which bcrypt would use %d, expected no more", len(password), maxPassword)
	case !utf8.ValidString(password) || strings.ContainsFunc(password, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return "", errors.New("the password has a control character, which no browser sends")
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return string(hash), nil
}

// verify returns the person with a name and a password. It takes as long for a name that does not exist: it compares the password with the hash of
// somebody, always the same person for the same name.
func (a *Access) verify(ctx context.Context, name, password string) (e entry, ok bool, err error) {
	all := a.cfg.People.entries()
	e = all[a.state.names.counter(name)%uint64(len(all))]
	known := false
	for _, each := range all {
		if each.name == name {
			e, known = each, true
		}
	}
	select {
	case a.state.hashing <- struct{}{}:
		defer func() { <-a.state.hashing }()
	case <-ctx.Done():
		return entry{}, false, ctx.Err()
	}
	compared := a.cfg.Compare([]byte(e.hash), []byte(password[:min(len(password), maxPassword)]))
	return e, compared == nil && known && len(password) <= maxPassword, nil
}
