package tracing

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of fields: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/collector/trace/v1/trace_service.proto.
// The generated code of these messages would add gRPC to the binary.
const (
	partialSuccess = 1 // of ExportTraceServiceResponse
	rejectedSpans  = 1 // of ExportTracePartialSuccess
)

// rejection returns an error if a collector has accepted a request, but not all of its spans. Its text is the collector's, so it is
// left out.
func rejection(answer []byte) error {
	_, partial := field(answer, partialSuccess, protowire.BytesType)
	if rejected, _ := field(partial, rejectedSpans, protowire.VarintType); rejected > 0 {
		return fmt.Errorf("post spans: collector rejected %d of them", rejected)
	}
	return nil
}

// field returns the value of a field of a protobuf message: a number, or bytes; zero if the message has none or is none.
func field(message []byte, number protowire.Number, kind protowire.Type) (value uint64, content []byte) {
	for len(message) > 0 {
		found, is, length := protowire.ConsumeField(message)
		if length < 0 {
			return 0, nil
		}
		_, _, tag := protowire.ConsumeTag(message)
		if found == number && is == kind {
			value, _ = protowire.ConsumeVarint(message[tag:length])
			content, _ = protowire.ConsumeBytes(message[tag:length])
			return value, content
		}
		message = message[length:]
	}
	return 0, nil
}
