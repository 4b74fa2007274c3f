package bloomreachtest

import (
	"net/http"
	"slices"
	"time"
)

// settings holds the behaviour that tests have switched on. The Server's mutex guards it, so a function given to FailWhen,
// RejectWhen or OmitResultsOf must not call the Server.
type settings struct {
	keyID, keySecret string
	now              func() time.Time
	onRequest        func(*http.Request)
	latency          time.Duration
	rate             rateLimit

	blocks        func(body string) bool
	blockWith     Failure
	failures      []Failure
	failWhen      func(Command) bool
	failWith      Failure
	rejectWhen    func(Command) []string
	forbidEvents  map[string]bool
	forbidUpdates bool
	limit         int // bytes of a body
	truncate      bool
	equalWins     bool
	reverseEqual  bool
	null          Null
	twoProfiles   TwoProfiles
	limits        limits
	drops         int

	echo         bool
	shuffle      bool
	omitResults  bool
	omitResultOf func(Command) bool
	addResult    bool
	shape        ErrorShape
}

func (s *Server) set(change func(*settings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.settings)
}

// SetClock sets the clock, default time.Now. Events without a timestamp get its time, and the 90 days of deduplication are
// counted by it (https://documentation.bloomreach.com/engagement/docs/imports-technical-reference).
func (s *Server) SetClock(now func() time.Time) {
	s.set(func(current *settings) { current.now = now })
}

// RotateKey replaces the private key, so that the old one is refused with 401 or 403
// (https://documentation.bloomreach.com/engagement/docs/prerequisites).
func (s *Server) RotateKey(id, secret string) {
	s.set(func(current *settings) { current.keyID, current.keySecret = id, secret })
}

// OnRequest calls hook with every request, after its body is read and before anything is applied. A hook that waits for
// the request's context simulates a server that never answers. Nil removes the hook.
func (s *Server) OnRequest(hook func(*http.Request)) {
	s.set(func(current *settings) { current.onRequest = hook })
}

// SetLatency delays every request before anything is applied. The delay ends when the caller gives up.
func (s *Server) SetLatency(d time.Duration) {
	s.set(func(current *settings) { current.latency = d })
}

// LimitRate answers 429 to more than this many requests per period, with a Retry-After if one is given: "6,000 requests a
// minute per IP", whose data "will be ignored (i.e., not saved)"
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-overview-2). 0 is no limit.
func (s *Server) LimitRate(requests int, per time.Duration, retryAfter string) {
	s.set(func(current *settings) { current.rate = rateLimit{limit: requests, per: per, retryAfter: retryAfter} })
}

// FailNext answers the next n requests with failure. It does not check them, unless failure is Applied. Examples are a 429,
// whose commands "will be ignored"
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-overview-2), a 500 "API is unavailable"
// (https://documentation.bloomreach.com/engagement/reference/tips-and-best-practices), a 200 with "success": false,
// or the page of a proxy.
func (s *Server) FailNext(n int, failure Failure) {
	s.set(func(current *settings) {
		current.failures = append(current.failures, slices.Repeat([]Failure{failure}, n)...)
	})
}

// FailWhen answers every request that has a matching command with failure: "The entire request fails"
// (https://documentation.bloomreach.com/engagement/reference/tracking-api-request-body-errors). match must not call the
// Server. Nil switches it off.
func (s *Server) FailWhen(match func(Command) bool, failure Failure) {
	s.set(func(current *settings) { current.failWhen, current.failWith = match, failure })
}

// BlockWhen answers every request whose body matches with failure, before anything else is checked, as a firewall in front of
// Bloomreach does: see [FirewallPage]. match must not call the Server. Nil switches it off.
func (s *Server) BlockWhen(match func(body string) bool, failure Failure) {
	s.set(func(current *settings) { current.blocks, current.blockWith = match, failure })
}

// RejectWhen rejects commands, inside a 200, with the errors that reasons returns. A command without errors is checked as
// usual. It simulates reasons that are not documented, such as a timestamp too far in the past. reasons must not call the
// Server. Nil switches it off.
func (s *Server) RejectWhen(reasons func(Command) []string) {
	s.set(func(current *settings) { current.rejectWhen = reasons })
}

// ForbidEvents removes the permission for event types: their commands fail with "Not authorized to add event of
// specified type" (https://support.bloomreach.com/hc/en-us/articles/19231102135453-Most-common-API-requests-errors).
// Without types it restores all permissions.
func (s *Server) ForbidEvents(types ...string) {
	s.set(func(current *settings) {
		current.forbidEvents = make(map[string]bool, len(types))
		for _, eventType := range types {
			current.forbidEvents[eventType] = true
		}
	})
}

// ForbidUpdates removes the permission for customer properties: their commands fail with "not authorized to update
// specified customer properties" (wording from https://github.com/exponea/exponea-python-sdk, tests/test_exceptions.py).
func (s *Server) ForbidUpdates(forbid bool) {
	s.set(func(current *settings) { current.forbidUpdates = forbid })
}

// LimitBody answers 413 to a body of more bytes; 0 is no limit. Bloomreach documents none.
func (s *Server) LimitBody(bytes int) {
	s.set(func(current *settings) { current.limit = bytes })
}

// TruncateBatches executes the first 50 commands of a longer batch, or as many as [Server.LimitCommands] allows, and answers for these alone. By default the
// whole batch is refused. Which of the two Bloomreach does is not documented.
func (s *Server) TruncateBatches(truncate bool) {
	s.set(func(current *settings) { current.truncate = truncate })
}

// OverwriteOnEqualTimestamp applies a property update whose update_timestamp equals the last one. By default it is ignored:
// "Only properties with older update time will be updated".
func (s *Server) OverwriteOnEqualTimestamp(overwrite bool) {
	s.set(func(current *settings) { current.equalWins = overwrite })
}

// ReverseEqualTimestamps puts a customer's events with equal timestamps into the reverse order of their arrival, see [Server.Timeline]. The
// documentation has a section on this order (https://documentation.bloomreach.com/engagement/docs/imports-technical-reference), which could
// not be read.
func (s *Server) ReverseEqualTimestamps(reverse bool) {
	s.set(func(current *settings) { current.reverseEqual = reverse })
}

// TreatNull sets the effect of null as a value; the default is that it is stored.
func (s *Server) TreatNull(null Null) {
	s.set(func(current *settings) { current.null = null })
}

// TreatTwoProfiles sets what happens to a command whose ids belong to two profiles; the default is ToFirst.
func (s *Server) TreatTwoProfiles(two TwoProfiles) {
	s.set(func(current *settings) { current.twoProfiles = two })
}

// DropAfterApplying executes the commands of the next n valid requests and closes the connection without an answer: the
// caller can't know that they were accepted.
func (s *Server) DropAfterApplying(n int) {
	s.set(func(current *settings) { current.drops = n })
}

// EchoCommandIDs sets whether results have the command_id. The default is yes, as documented at
// https://documentation.bloomreach.com/engagement/docs/batch-commands-2; no recorded answer shows it.
func (s *Server) EchoCommandIDs(echo bool) {
	s.set(func(current *settings) { current.echo = echo })
}

// ShuffleResults reverses the order of the results, so that a caller that relies on the order always fails. Bloomreach does
// not document the order.
func (s *Server) ShuffleResults(shuffle bool) {
	s.set(func(current *settings) { current.shuffle = shuffle })
}

// OmitResults answers 200 without "results". Bloomreach's connector for Magento treats that as failed
// (https://github.com/exponea/bloomreach-magento2-integration, SenderBatchProcessor.php).
func (s *Server) OmitResults(omit bool) {
	s.set(func(current *settings) { current.omitResults = omit })
}

// OmitResultsOf leaves out the results of matching commands, although they are executed. The connector for Magento treats
// those as failed (same file as [Server.OmitResults]). match must not call the Server. Nil switches it off.
func (s *Server) OmitResultsOf(match func(Command) bool) {
	s.set(func(current *settings) { current.omitResultOf = match })
}

// AddResult adds a result that is of no command to the end of the results, so that there are more results than commands.
func (s *Server) AddResult(add bool) {
	s.set(func(current *settings) { current.addResult = add })
}

// SetErrorShape gives all refusals the same shape. Empty restores the documented shapes.
func (s *Server) SetErrorShape(shape ErrorShape) {
	s.set(func(current *settings) { current.shape = shape })
}
