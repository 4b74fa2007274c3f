package kafka

import (
	"fmt"
	"math"
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

// metadataOf writes ranges. It leaves out the last ones where they don't fit, which room prevents: those records would be
// handled again.
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

// room is how many records may be handed out, the last of them at an offset, so that all ranges fit whichever of them get
// finished: no more than every second begins a range. The first one always may: it begins none.
func room(next, last int64, above []offsetRange) int {
	most := len(",-") + 2*len(strconv.FormatInt(last+1-next, 10)) // bytes of a range
	left := (maxMetadata-len(finishedPrefix))/most - len(above)
	return max(1, 2*left)
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
		if err1 != nil || err2 != nil || from < 0 || to <= from || to > math.MaxInt64-next {
			return nil
		}
		above = append(above, offsetRange{from: next + from, to: next + to})
	}
	return above
}
