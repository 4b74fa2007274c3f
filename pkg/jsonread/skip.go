package jsonread

import (
	"encoding/binary"
	"math/bits"
)

// maxDepth is how deep values may be nested, as in encoding/json.
const maxDepth = 10_000

// invalid is the end of a value that is not valid JSON.
const invalid = -1

// skip checks the value at i and returns its end, or invalid.
func (s *Scanner) skip(i, depth int) int {
	if i == invalid || i == len(s.data) {
		return invalid
	}
	switch s.data[i] {
	case '"':
		end, _ := s.skipString(i)
		return end
	case '{', '[':
		if depth == maxDepth {
			return invalid
		}
		return s.skipNested(i, depth+1)
	case 't':
		return s.skipWord(i, "true")
	case 'f':
		return s.skipWord(i, "false")
	case 'n':
		return s.skipWord(i, "null")
	}
	return s.skipNumber(i)
}

// skipNested skips an object or an array.
func (s *Scanner) skipNested(i, depth int) int {
	object := s.data[i] == '{'
	closing := s.data[i] + 2 // of { and [ in ASCII
	i = s.after(i + 1)
	if s.is(i, closing) {
		return i + 1
	}
	for {
		if object {
			i = s.skipName(i)
		}
		if i = s.skip(i, depth); i == invalid {
			return invalid
		}
		i = s.after(i)
		if s.is(i, closing) {
			return i + 1
		}
		if !s.is(i, ',') {
			return invalid
		}
		i = s.after(i + 1)
	}
}

// skipName skips the name of a member, its colon, and white space.
func (s *Scanner) skipName(i int) int {
	end, _ := s.skipString(i)
	if end == invalid {
		return invalid
	}
	if end = s.after(end); end == len(s.data) || s.data[end] != ':' {
		return invalid
	}
	return s.after(end + 1)
}

// after returns the position of the first byte from i on that is not white space.
func (s *Scanner) after(i int) int {
	for i < len(s.data) && isSpace(s.data[i]) {
		i++
	}
	return i
}

func (s *Scanner) skipWord(i int, word string) int {
	if end := i + len(word); end <= len(s.data) && string(s.data[i:end]) == word {
		return end
	}
	return invalid
}

// skipString skips a string, and reports whether it has escapes.
func (s *Scanner) skipString(i int) (end int, escaped bool) {
	if i >= len(s.data) || s.data[i] != '"' {
		return invalid, false
	}
	i++
	for {
		i += plainPrefix(s.data[i:])
		switch {
		case i == len(s.data):
			return invalid, false
		case s.data[i] == '"':
			return i + 1, escaped
		case s.data[i] == '\\':
			escaped = true
			if i = s.skipEscape(i); i == invalid {
				return invalid, false
			}
		default: // a control character
			return invalid, false
		}
	}
}

func (s *Scanner) skipEscape(i int) int {
	if i++; i == len(s.data) {
		return invalid
	}
	switch s.data[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		end := i + 1 + len("0000")
		for i++; i < end; i++ {
			if i >= len(s.data) || !isHex(s.data[i]) {
				return invalid
			}
		}
		return end
	}
	return invalid
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// skipNumber skips -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *Scanner) skipNumber(i int) int {
	if s.is(i, '-') {
		i++
	}
	if s.is(i, '0') {
		i++
	} else if i = s.skipDigits(i); i == invalid {
		return invalid
	}
	if s.is(i, '.') {
		if i = s.skipDigits(i + 1); i == invalid {
			return invalid
		}
	}
	if s.is(i, 'e') || s.is(i, 'E') {
		if i++; s.is(i, '+') || s.is(i, '-') {
			i++
		}
		return s.skipDigits(i)
	}
	return i
}

func (s *Scanner) is(i int, c byte) bool { return i < len(s.data) && s.data[i] == c }

// skipDigits skips at least one digit.
func (s *Scanner) skipDigits(i int) int {
	from := i
	for i < len(s.data) && s.data[i] >= '0' && s.data[i] <= '9' {
		i++
	}
	if i == from {
		return invalid
	}
	return i
}

// Masks of the bytes of a word.
const (
	each = 0x0101010101010101
	high = 0x8080808080808080
)

// plainPrefix returns the number of bytes before the first quote, backslash or control character.
func plainPrefix(text []byte) int {
	rest := text
	for ; len(rest) >= 8; rest = rest[8:] {
		if found := special(binary.LittleEndian.Uint64(rest)); found != 0 {
			return len(text) - len(rest) + bits.TrailingZeros64(found)/8
		}
	}
	i := 0
	for i < len(rest) && rest[i] != '"' && rest[i] != '\\' && rest[i] >= ' ' {
		i++
	}
	return len(text) - len(rest) + i
}

// special sets the highest bit of the first byte of w, the lowest one, that is a quote, a backslash or a control character, and maybe bits of bytes
// after it (https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord).
func special(w uint64) uint64 {
	quote, backslash := w^each*'"', w^each*'\\'
	return ((quote-each)&^quote | (backslash-each)&^backslash | (w-each*' ')&^w) & high
}
