package links

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Code is the last part of a short link: CodeLength letters and digits, which have 65 bits. Who has it can open the link, so it is in the
// text alone, and in no log; recharge.message-texts has it unless the link has a secret.
type Code string

// CodeLength is the number of characters of a code.
const CodeLength = 11

// alphabet has characters that cost one septet in a text.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// NewCode draws a code.
func NewCode() Code {
	code := make([]byte, 0, CodeLength)
	var random [2 * CodeLength]byte
	for {
		_, _ = rand.Read(random[:]) // never fails, see crypto/rand
		for _, b := range random {
			if b >= 4*byte(len(alphabet)) { // the rest would make some characters more likely
				continue
			}
			if code = append(code, alphabet[int(b)%len(alphabet)]); len(code) == CodeLength {
				return Code(code)
			}
		}
	}
}

// ParseCode returns the code of a path such as /r/4kZ0qN7sXb2.
func ParseCode(path string) (Code, bool) {
	code, found := strings.CutPrefix(path, Prefix)
	if !found || len(code) != CodeLength || strings.Trim(code, alphabet) != "" {
		return "", false
	}
	return Code(code), true
}

// Prefix is the beginning of the path of a short link.
const Prefix = "/r/"

// ID names a link in topics and logs: 32 hex digits, from which the code can't be found.
func (c Code) ID() string {
	sum := sha256.Sum256([]byte("short link\n" + string(c)))
	return hex.EncodeToString(sum[:16])
}
