package kafka

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Records that are finished above the committed offset are stored in the commit's metadata, as ranges relative to the offset:
//
//	finished 3-5,8-12
//
// means that the records 3 to 4 and 8 to 11 above the offset are finished too.
const (
	finishedPrefix = "finished "
	// maxMetadataBytes is the brokers' default limit
	// (https://kafka.apache.org/documentation/#brokerconfigs_offset.metadata.max.bytes).
	maxMetadataBytes = 4096
)

// encodeFinished encodes finished ranges above an offset. Ranges that don't fit are left out, and their records handled again;
// maxTrackable prevents that.
func encodeFinished(next int64, above []OffsetRange) string {
	if len(above) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(finishedPrefix)
	for i, r := range above {
		encoded := fmt.Sprintf("%d-%d", r.First-next, r.End-next)
		if i > 0 {
			encoded = "," + encoded
		}
		if b.Len()+len(encoded) > maxMetadataBytes {
			break
		}
		b.WriteString(encoded)
	}
	return b.String()
}

// maxTrackable returns how many records may be handed to a handler, the last of them at an offset, so that all ranges fit
// whichever records are finished: at most every second one starts a range. The first record always may be: it starts none.
func maxTrackable(next, last int64, above []OffsetRange) int {
	maxRangeBytes := len(",-") + 2*len(strconv.FormatInt(last+1-next, 10))
	left := (maxMetadataBytes-len(finishedPrefix))/maxRangeBytes - len(above)
	return max(1, 2*left)
}

// decodeFinished decodes finished ranges. It returns none for metadata that it does not understand.
func decodeFinished(metadata string, next int64) []OffsetRange {
	list, ok := strings.CutPrefix(metadata, finishedPrefix)
	if !ok {
		return nil
	}
	var above []OffsetRange
	for encoded := range strings.SplitSeq(list, ",") {
		first, end, _ := strings.Cut(encoded, "-")
		from, err1 := strconv.ParseInt(first, 10, 64)
		to, err2 := strconv.ParseInt(end, 10, 64)
		if err1 != nil || err2 != nil || from < 0 || to <= from || to > math.MaxInt64-next {
			return nil
		}
		above = append(above, OffsetRange{First: next + from, End: next + to})
	}
	return above
}
