package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes, written as 1MiB, 512KiB or a plain number of bytes.
type Size int64

const (
	kib Size = 1 << 10
	mib Size = 1 << 20
)

// String returns the shortest form that ParseSize accepts.
func (s Size) String() string {
	switch {
	case s != 0 && s%mib == 0:
		return strconv.FormatInt(int64(s/mib), 10) + "MiB"
	case s != 0 && s%kib == 0:
		return strconv.FormatInt(int64(s/kib), 10) + "KiB"
	default:
		return strconv.FormatInt(int64(s), 10)
	}
}

// ParseSize parses a number of bytes, or a number with the unit KiB (1,024 bytes) or MiB (1,048,576 bytes).
func ParseSize(text string) (Size, error) {
	number, unit := text, Size(1)
	if n, ok := strings.CutSuffix(text, "MiB"); ok {
		number, unit = n, mib
	} else if n, ok := strings.CutSuffix(text, "KiB"); ok {
		number, unit = n, kib
	}
	n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 63)
	if err != nil || n > uint64(math.MaxInt64/unit) {
		return 0, fmt.Errorf("parse size %q: expected bytes, KiB or MiB, such as 1MiB", text)
	}
	return Size(n) * unit, nil
}
