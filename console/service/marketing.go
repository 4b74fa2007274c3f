package service

import (
	"context"
	"io"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Marketing is what a marketer sees and does. Each change says who made it; roles are checked before, by who calls it.
type Marketing interface {
	// Stores lists the configured stores.
	Stores(ctx context.Context) ([]StoreInfo, error)
	// Flows returns the twelve flows of a store with their numbers of the last 7 days.
	Flows(ctx context.Context, store string) ([]FlowCard, error)
	// Flow returns a flow as it is set now, and what its text can use.
	Flow(ctx context.Context, store string, key flow.Key) (FlowInfo, error)
	// PreviewFlow renders a draft with samples or with the last trigger of a customer, without saving it. Faults of the draft are in the result.
	PreviewFlow(ctx context.Context, store string, key flow.Key, request PreviewRequest) (FlowPreview, error)
	SaveFlow(ctx context.Context, who, store string, key flow.Key, change SaveFlow) (SavedFlow, error)
	// SetActive activates or deactivates a flow.
	SetActive(ctx context.Context, who, store string, key flow.Key, change SetActive) (SavedFlow, error)
	// RestoreFlow restores everything of an earlier version; version-1 undoes the last change.
	RestoreFlow(ctx context.Context, who, store string, key flow.Key, change RestoreFlow) (SavedFlow, error)
	// FlowHistory returns all versions, newest first, each with what it changed.
	FlowHistory(ctx context.Context, store string, key flow.Key) ([]FlowVersion, error)
	FlowDiff(ctx context.Context, store string, key flow.Key, from, to int) (FlowDiff, error)
	// Backtest plays a draft over the triggers that there were. It reads the topic: seconds.
	Backtest(ctx context.Context, store string, key flow.Key, request BacktestRequest) (Backtest, error)
	// WouldSend says what activating the flow does: planned texts that it lets go, and what it would have sent in the last 24 hours.
	WouldSend(ctx context.Context, store string, key flow.Key) (WouldSend, error)
	// SendTest sends one text with samples to a number.
	SendTest(ctx context.Context, who, store string, key flow.Key, request TestRequest) (TestSent, error)
	// FlowStats counts the outcomes of texts by flow and day. It reads the topics: seconds.
	FlowStats(ctx context.Context, request StatsRequest) (FlowStats, error)

	Sending(ctx context.Context, store string) (SendingInfo, error)
	// SetSending changes quiet hours and the limit of a day.
	SetSending(ctx context.Context, who, store string, change SetSending) (SendingInfo, error)
	// Pause holds texts, or sends them again.
	Pause(ctx context.Context, who, store string, change Pause) (SendingInfo, error)
	// ConsentCounts counts the numbers that have opted in and out; ConsentOf says what is known of one.
	ConsentCounts(ctx context.Context, store string) (ConsentCounts, error)
	ConsentOf(ctx context.Context, store, number string, reveal bool) (ConsentInfo, error)
	// OptOut and OptIn record a decision about numbers.
	OptOut(ctx context.Context, who, store string, change ConsentChange) ([]ConsentChanged, error)
	OptIn(ctx context.Context, who, store string, change ConsentChange) ([]ConsentChanged, error)

	Segments(ctx context.Context, store string) ([]Segment, error)
	SaveSegment(ctx context.Context, who, store string, change SaveSegment) (Segment, error)
	DeleteSegment(ctx context.Context, who, store, name string) error
	// CountSegments counts the members of segments, or of conditions; of all segments if none is named.
	CountSegments(ctx context.Context, store string, namesOrConditions ...string) (SegmentCounts, error)
	// Members returns a page of the members of a segment, or of conditions.
	Members(ctx context.Context, store, nameOrConditions string, page MembersPage) (Members, error)
	// ExportSegment writes all members as "csv" or "json", and returns how many.
	ExportSegment(ctx context.Context, store, nameOrConditions, format string, reveal bool, out io.Writer) (int, error)
	// PushSegments sets the properties at Bloomreach; a dry run says what would be set.
	PushSegments(ctx context.Context, who, store string, request PushRequest) (Push, error)
	// LastPush returns the push that runs, or the last one of this process.
	LastPush(ctx context.Context, store string) (Push, error)
}

var _ Marketing = (*Service)(nil)
