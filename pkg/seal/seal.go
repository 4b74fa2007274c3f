// Package seal encrypts a text that is in a topic, so that only roles with the key read it.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// Key encrypts with AES-256-GCM. The zero Key is none.
type Key struct{ aead cipher.AEAD }

// New derives a key for a purpose from a secret. Without a secret it returns the zero Key.
func New(secret, purpose string) Key {
	if secret == "" {
		return Key{}
	}
	derived, err := hkdf.Key(sha256.New, []byte(secret), nil, "rechargeflow "+purpose, 32)
	if err != nil {
		return Key{} // only for keys of more than 8 KB
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return Key{} // only for keys of another length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return Key{} // only for other ciphers
	}
	return Key{aead}
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.aead == nil }

// Seal encrypts a text, differently each time.
func (k Key) Seal(text string) string {
	return base64.RawURLEncoding.EncodeToString(k.aead.Seal(nil, nil, []byte(text), nil))
}

// ErrSealed means that a text was sealed with another key, or was changed.
var ErrSealed = errors.New("sealed with another key")

// Open decrypts what Seal returned.
func (k Key) Open(sealed string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || k.aead == nil {
		return "", ErrSealed
	}
	text, err := k.aead.Open(nil, nil, raw, nil)
	if err != nil {
		return "", ErrSealed
	}
	return string(text), nil
}
