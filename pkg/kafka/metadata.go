package kafka

import (
	"fmt"
	"strconv"
	"strings"
)

// What is finished above a committed offset travels in the commit's metadata, as ranges relative to the offset:
//
//	finished 3-5,8-12
//
// says that the records from 3 to 4 and from 8 to 11 above the offset are finished too.
const (
	finishedPrefix = "finished "
	// maxMetadata is what brokers take (https://kafka.apache.org/documentation/#brokerconfigs_offset.metadata.max.bytes).
	maxMetadata = 4096
)

// metadataOf writes ranges. It leaves out the last ones where they don't fit: those records would be handled again.
func metadataOf(next int64, above []offsetRange) string {
	if len(above) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(finishedPrefix)
	for i, r := range above {
		one := fmt.Sprintf("%d-%d", r.from-next, r.to-next)
		if i > 0 {
			one = "," + one
		}
		if b.Len()+len(one) > maxMetadata {
			break
		}
		b.WriteString(one)
	}
	return b.String()
}

// fits tells whether all ranges would fit, and those of one more record.
func fits(next int64, above []offsetRange) bool {
	const one = 2 * 20
	size := len(finishedPrefix)
	for _, r := range above {
		size += len(strconv.FormatInt(r.from-next, 10)) + len(strconv.FormatInt(r.to-next, 10)) + 2
	}
	return size+one <= maxMetadata
}

// finishedIn reads metadata. What it doesn't understand, or what others wrote, says nothing.
func finishedIn(metadata string, next int64) []offsetRange {
	list, ok := strings.CutPrefix(metadata, finishedPrefix)
	if !ok {
		return nil
	}
	var above []offsetRange
	for one := range strings.SplitSeq(list, ",") {
		first, last, _ := strings.Cut(one, "-")
		from, err1 := strconv.ParseInt(first, 10, 64)
		to, err2 := strconv.ParseInt(last, 10, 64)
		if err1 != nil || err2 != nil || from < 0 || to <= from {
			return nil
		}
		above = append(above, offsetRange{from: next + from, to: next + to})
	}
	return above
}
