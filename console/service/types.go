package service

import (
	"context"
	"io"
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/backtest"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	"github.com/rechargeflow/rechargeflow/pkg/flowstats"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
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
	// RestoreFlow restores everything of an earlier version but whether the flow is active; version-1 undoes the last change.
	RestoreFlow(ctx context.Context, who, store string, key flow.Key, change RestoreFlow) (SavedFlow, error)
	// FlowHistory returns all versions, newest first, each with what it changed.
	FlowHistory(ctx context.Context, store string, key flow.Key) ([]FlowVersion, error)
	FlowDiff(ctx context.Context, store string, key flow.Key, from, to int) (FlowDiff, error)
	// Backtest plays a draft over the triggers that there were. It reads the topic: seconds.
	Backtest(ctx context.Context, store string, key flow.Key, request BacktestRequest) (Backtest, error)
	// WouldSend says what activating the flow with the changes of a draft does: planned texts that it lets go, and what it would have sent in the
	// last 24 hours.
	WouldSend(ctx context.Context, store string, key flow.Key, d Draft) (WouldSend, error)
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
	// DeleteSegment deletes a segment that has a version.
	DeleteSegment(ctx context.Context, who, store, name string, version int) error
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

// StoreInfo is a configured store.
type StoreInfo struct {
	Name     string `json:"name"`
	ShopName string `json:"shop_name"`           // "" if it is not set: no flow can be active then
	Currency string `json:"currency,omitempty"`  // ISO 4217
	TimeZone string `json:"time_zone,omitempty"` // of its days, such as America/New_York; "" for UTC
	// Driver is the SMS driver, "none" for a store without texts. DryRun means that it writes texts to the log and sends none.
	Driver string `json:"driver"`
	DryRun bool   `json:"dry_run"`
	// OwnTexts means that the destination has the texts: those of the flows are not used.
	OwnTexts bool `json:"own_texts"`
	// Consent is whom the store may text: opt_out, opt_in, destination.
	Consent consent.Mode `json:"consent"`
	// Destination is where events go, "" for nowhere. PushesSegments means that the properties of segments can be set there.
	Destination    string `json:"destination,omitempty"`
	PushesSegments bool   `json:"pushes_segments"`
}

// FlowCard is a flow on the page of all.
type FlowCard struct {
	settings.Flow

	// Quiet is whether texts of the flow wait during quiet hours, which may hold for all flows of the store.
	Quiet bool `json:"quiet"`
	// Paused is whether its texts are held.
	Paused bool `json:"paused"`
	// Problem is why an active flow sends nothing, such as a missing setting; "" if it sends.
	Problem string `json:"problem,omitempty"`
	// Sent and Clicked count texts of the last 7 days, nil while they are not known.
	Sent    *int `json:"sent_7d"`
	Clicked *int `json:"clicked_7d"`
}

// FlowInfo is a flow, and what its text can use.
type FlowInfo struct {
	FlowCard

	Variables []Variable      `json:"variables"`
	About     []flow.Resource `json:"about"`   // what its triggers can be about
	Trigger   string          `json:"trigger"` // what fires it, in words
	Absorbs   []flow.Key      `json:"absorbs"` // flows whose triggers join its texts
	// DefaultText is the built-in text.
	DefaultText string `json:"default_text"`
	// OptOutText is what the store adds to some texts, "" for nothing.
	OptOutText string `json:"opt_out_text,omitempty"`
	MaxBytes   int    `json:"max_bytes"` // longest text
}

// Variable is a value that a text can use.
type Variable struct {
	Name   string `json:"name"`   // {{ name }}
	Sample string `json:"sample"` // its value in samples
}

// Draft is what to change of a flow. Fields that are nil stay as they are.
type Draft = flowedit.Draft

// PreviewRequest says what is previewed.
type PreviewRequest struct {
	Draft Draft `json:"draft"`
	// Customer is a Recharge customer ID, whose last trigger of the flow gives the values; "" for samples.
	Customer string `json:"customer,omitempty"`
	// Reveal shows the customer's name and words. Links are never shown.
	Reveal bool `json:"reveal,omitempty"`
	// Price is that of one part, a decimal such as "0.0079"; "" for none.
	Price string `json:"price,omitempty"`
}

// FlowPreview is a draft as customers would read it.
type FlowPreview struct {
	Texts    []PreviewText `json:"texts"`    // none if the draft has faults that prevent it
	Faults   []Fault       `json:"faults"`   // why it can't be saved, or activated where the field is active
	Warnings []Fault       `json:"warnings"` // what is probably not intended
	// Rendered is false if the destination renders texts of its own.
	Rendered bool `json:"rendered"`
}

// PreviewText is a text of a preview.
type PreviewText struct {
	flow.Preview

	// Customer and OccurredAt are those of a customer's trigger; "" and zero with samples. Masked means that personal data is.
	Customer   string    `json:"customer,omitempty"`
	OccurredAt time.Time `json:"occurred_at,omitzero"`
	Masked     bool      `json:"masked,omitempty"`
	// Cost is that of all parts, a decimal; Currency is the store's. Absent without a price.
	Cost     string `json:"cost,omitempty"`
	Currency string `json:"currency,omitempty"`
}

// SaveFlow changes a flow.
type SaveFlow struct {
	Version int `json:"version"` // that the flow must have
	Draft
}

// SetActive activates or deactivates a flow.
type SetActive struct {
	Version int  `json:"version"` // that the flow must have
	Active  bool `json:"active"`
}

// RestoreFlow restores a version.
type RestoreFlow struct {
	Version int `json:"version"` // that the flow must have
	To      int `json:"to"`      // the version to restore; 0 is the built-in flow
}

// SavedFlow is a flow after a change.
type SavedFlow struct {
	Flow     settings.Flow `json:"flow"`
	Changed  bool          `json:"changed"` // false: it was so already
	Warnings []Fault       `json:"warnings"`
}

// FlowVersion is one version of a flow.
type FlowVersion struct {
	settings.Flow

	Changes []string `json:"changes"` // what differs from the version before: activated, text, quiet hours...
}

// FlowDiff is what differs between two versions.
type FlowDiff struct {
	From    settings.Flow `json:"from"`
	To      settings.Flow `json:"to"`
	Changes []string      `json:"changes"`
	Unified string        `json:"unified"` // as `diff -u` prints it
}

// BacktestRequest says what is played.
type BacktestRequest struct {
	Draft Draft `json:"draft"`
	// Since is when the triggers arrived first; zero for 7 days ago. The topic has 30 days.
	Since time.Time `json:"since,omitzero"`
	// Sending changes how the store sends; nil fields stay as they are set.
	TextsPerDay   *int    `json:"texts_per_day,omitempty"`
	QuietFrom     *string `json:"quiet_from,omitempty"` // 20:00
	QuietTo       *string `json:"quiet_to,omitempty"`
	QuietAllFlows *bool   `json:"quiet_all_flows,omitempty"`
	Price         string  `json:"price,omitempty"`    // of one part, a decimal
	Examples      *int    `json:"examples,omitempty"` // of each kind, 3 if nil
	Reveal        bool    `json:"reveal,omitempty"`   // names in the texts of examples
}

// Backtest is what a draft would have done.
type Backtest struct {
	Store string    `json:"store"`
	Flow  flow.Key  `json:"flow"`
	Since time.Time `json:"since"`
	*backtest.Report

	// Cost is that of all parts, a decimal; absent without a price.
	Cost     string `json:"cost,omitempty"`
	Price    string `json:"price,omitempty"`
	Currency string `json:"currency,omitempty"`
}

// WouldSend is what activating a flow does.
type WouldSend struct {
	Store string   `json:"store"`
	Flow  flow.Key `json:"flow"`
	// Active is whether the flow is active already, Faults why it can't be activated.
	Active bool    `json:"active"`
	Faults []Fault `json:"faults"`
	// Waiting are texts that were planned while the flow was active and are not due yet: activated, they are sent. Triggers that arrived while it
	// was not active never become texts. nil while that is not known.
	Waiting *int `json:"waiting"`
	// LastDay is what it would have sent in the last 24 hours, had it been active: what to expect of a day.
	LastDay *backtest.Report `json:"last_day"`
}

// TestRequest asks for one text to a number.
type TestRequest struct {
	Number string `json:"number"` // with its country code
	Draft  Draft  `json:"draft"`
	// Key is chosen by who asks. A request with the same key, number, flow and text within an hour sends nothing: its answer is that of the first. "" for none.
	Key string `json:"key,omitempty"`
}

// TestSent is what the provider answered to a test.
type TestSent struct {
	Store  string   `json:"store"`
	Flow   flow.Key `json:"flow"`
	To     string   `json:"to"` // masked
	Driver string   `json:"driver"`
	// Accepted is whether the provider has it. DryRun means that the driver sends nothing.
	Accepted bool   `json:"accepted"`
	DryRun   bool   `json:"dry_run"`
	Answer   string `json:"answer"` // in words
	// Class and Code are those of sms.SendError, "" if it was accepted. ProviderID is the provider's, if it sent one.
	Class      string `json:"class,omitempty"`
	Code       string `json:"code,omitempty"`
	ProviderID string `json:"provider_id,omitempty"`
	// Text is what was sent, and Parts what it costs; "" and 0 where the destination renders texts of its own.
	Text  string `json:"text,omitempty"`
	Parts int    `json:"parts,omitempty"`
}

// StatsRequest says what is counted.
type StatsRequest struct {
	Store string   // "" for all
	Flow  flow.Key // "" for all
	// Since is a time, the day of which is counted; zero for 30 days ago. FirstDay is a date in its place, "" for none.
	Since    time.Time
	FirstDay string
	Zone     string // of the days, "" for the stores' own
	Total    bool   // the sum of all days
	// RecoveredWithin and ReactivatedWithin are days from a text; 0 for 7 and 30.
	RecoveredWithin, ReactivatedWithin int
}

// FlowStats are the outcomes of texts.
type FlowStats struct {
	Since time.Time         `json:"since"`
	Zones map[string]string `json:"time_zones"` // by store
	Rows  []flowstats.Row   `json:"rows"`
}
