package bloomreachtest

import (
	"net/http"
	"slices"
	"time"
)

// switches is how the simulator behaves at the moment. The Server's mutex guards it, so a function given to FailWhen,
// RejectWhen or OmitResultsOf must not call the Server.
type switches struct {
	keyID, keySecret string
	now              func() time.Time
	onRequest        func(*http.Request)
	latency          time.Duration
	rate             rate

	failures   []Failure
	failWhen   func(Command) bool
	failWith   Failure
	rejectWhen func(Command) []string
	forbidden  map[string]bool
	noUpdates  bool
	limit      int
	cut        bool
	equalWins  bool
	drops      int

	echo      bool
	shuffle   bool
	noResults bool
	leaveOut  func(Command) bool
	shape     ErrorShape
}

// Failure is an answer, or the lack of one, that takes the place of the usual answer.
type Failure struct {
	Status     int
	Body       string // any text; [ErrorShape.Body] makes the documented ones
	RetryAfter string // value of the header, none when empty; whether Bloomreach sends it is documented nowhere
	Hang       bool   // no answer until the caller gives up or the simulator closes
	Reset      bool   // the connection is reset instead of an answer
	// Applied says that the commands of a valid request are executed first: the caller can't know that they were taken.
	// "Write requests: Go into a queue for later processing" (https://documentation.bloomreach.com/engagement/reference/about).
	Applied bool
}

func (s *Server) set(change func(*switches)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.switches)
}

// SetClock sets the time of arrival, default time.Now. It decides about events without a timestamp and about the 90
// days of deduplication (https://documentation.bloomreach.com/engagement/docs/imports-technical-reference).
func (s *Server) SetClock(now func() time.Time) {
	s.set(func(w *switches) { w.now = now })
}

// RotateKey replaces the private key, so that the old one is refused with 401 or 403
// (https://documentation.bloomreach.com/engagement/docs/prerequisites).
func (s *Server) RotateKey(id, secret string) {
	s.set(func(w *switches) { w.keyID, w.keySecret = id, secret })
}

// OnRequest calls hook with every request, after its body is read and before anything is applied. A hook that waits
// for the request's context imitates a server that never answers. Nil is no hook.
func (s *Server) OnRequest(hook func(*http.Request)) {
	s.set(func(w *switches) { w.onRequest = hook })
}

// SetLatency makes every request wait before anything is done; the wait ends when the caller gives up. [Server.OnRequest]
// waits by any other clock.
func (s *Server) SetLatency(d time.Duration) {
	s.set(func(w *switches) { w.latency = d })
}

// LimitRate answers 429 to what exceeds so many requests in each period of the clock, with a Retry-After if one is given:
// "6,000 requests a minute per IP", whose data "will be ignored (i.e., not saved)"
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-overview-2). 0 requests are no limit.
func (s *Server) LimitRate(requests int, per time.Duration, retryAfter string) {
	s.set(func(w *switches) { w.rate = rate{limit: requests, per: per, retryAfter: retryAfter} })
}

// FailNext answers the next n requests with failure, without looking at them unless it is Applied: a 429, whose commands "will be ignored"
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-overview-2), a 500 "API is unavailable"
// (https://documentation.bloomreach.com/engagement/reference/tips-and-best-practices), a 200 with "success": false,
// a proxy's page that is not JSON.
func (s *Server) FailNext(n int, failure Failure) {
	s.set(func(w *switches) { w.failures = append(w.failures, slices.Repeat([]Failure{failure}, n)...) })
}

// FailWhen answers failure to every request with a command that matches: "The entire request fails"
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-request-body-errors). match must not call the
// Server. Nil ends it.
func (s *Server) FailWhen(match func(Command) bool, failure Failure) {
	s.set(func(w *switches) { w.failWhen, w.failWith = match, failure })
}

// RejectWhen rejects commands, inside a 200, with the errors that reasons returns; none means that the command is
// looked at as usual. It stands for the reasons that the documentation does not list, such as a timestamp too far in
// the past. reasons must not call the Server. Nil ends it.
func (s *Server) RejectWhen(reasons func(Command) []string) {
	s.set(func(w *switches) { w.rejectWhen = reasons })
}

// ForbidEvents takes away the permission for event types: their commands fail with "Not authorized to add event of
// specified type" (https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors).
// No types give all permissions back.
func (s *Server) ForbidEvents(types ...string) {
	s.set(func(w *switches) {
		w.forbidden = make(map[string]bool, len(types))
		for _, eventType := range types {
			w.forbidden[eventType] = true
		}
	})
}

// ForbidUpdates takes away the permission for customer properties: their commands fail with "not authorized to update
// specified customer properties" (wording from https://github.com/exponea/exponea-python-sdk, tests/test_exceptions.py).
func (s *Server) ForbidUpdates(forbid bool) {
	s.set(func(w *switches) { w.noUpdates = forbid })
}

// LimitBody answers 413 to a body of more bytes; 0 is no limit. Whether Bloomreach has one is documented nowhere.
func (s *Server) LimitBody(bytes int) {
	s.set(func(w *switches) { w.limit = bytes })
}

// CutBatches executes the first 50 commands of a longer batch, and answers for these alone. Otherwise it is refused
// whole. Which of the two Bloomreach does is documented nowhere.
func (s *Server) CutBatches(cut bool) {
	s.set(func(w *switches) { w.cut = cut })
}

// OverwriteOnEqualTimestamp lets a property update win whose update_timestamp equals the last one. The documentation
// says "Only properties with older update time will be updated", so by default it does not.
func (s *Server) OverwriteOnEqualTimestamp(overwrite bool) {
	s.set(func(w *switches) { w.equalWins = overwrite })
}

// DropAfterApplying executes the commands of the next n valid requests and closes the connection without an answer:
// the caller can't know that they were taken.
func (s *Server) DropAfterApplying(n int) {
	s.set(func(w *switches) { w.drops = n })
}

// EchoCommandIDs says whether results carry the command_id, default yes, as
// https://documentation.bloomreach.com/engagement/docs/batch-commands-2 says. No recorded answer that shows it is known.
func (s *Server) EchoCommandIDs(echo bool) {
	s.set(func(w *switches) { w.echo = echo })
}

// ShuffleResults answers in another order than that of the commands: backwards, so that a caller who relies on the
// order fails every time. Whether Bloomreach keeps it is documented nowhere.
func (s *Server) ShuffleResults(shuffle bool) {
	s.set(func(w *switches) { w.shuffle = shuffle })
}

// OmitResults answers 200 without "results"; Bloomreach's connector for Magento counts that as failed
// (https://github.com/exponea/bloomreach-magento2-integration, SenderBatchProcessor.php).
func (s *Server) OmitResults(omit bool) {
	s.set(func(w *switches) { w.noResults = omit })
}

// OmitResultsOf leaves out the results of commands that match, although they are executed; the connector for Magento
// counts those as failed (same file as [Server.OmitResults]). match must not call the Server. Nil ends it.
func (s *Server) OmitResultsOf(match func(Command) bool) {
	s.set(func(w *switches) { w.leaveOut = match })
}

// FixErrorShape gives all refusals the same form; empty goes back to the form documented for each.
func (s *Server) FixErrorShape(shape ErrorShape) {
	s.set(func(w *switches) { w.shape = shape })
}
