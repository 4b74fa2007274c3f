package rechargetest

import (
	"slices"
	"time"
)

// Behaviour is how the server treats one request. The zero value is a normal response.
type Behaviour struct {
	// Status and Body replace the normal response. Body is any text; [ErrorShape.Body] returns the observed ones. 500, 501 and
	// 503 ("third party timeout"), 402, 406 ("data source not allowed") and 409 ("a call to this resource is in progress") are
	// listed by https://github.com/singer-io/tap-recharge, tap_recharge/client.py.
	Status     int
	Body       string
	RetryAfter string        // value of the header, none when empty; it is documented nowhere
	Slow       time.Duration // before anything is done; ends when the caller gives up
	Hang       bool          // no answer until the caller gives up or the server closes
	Reset      bool          // the connection is reset instead of an answer
	Accept     bool          // the request is carried out even with Status, Hang or Reset
}

func (b Behaviour) usual() bool { return b.Status == 0 && !b.Hang && !b.Reset }

// Next sets the behaviour for the next n requests, after those that are already set. Later requests get the normal response.
func (s *Server) Next(n int, b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, slices.Repeat([]Behaviour{b}, n)...)
}

// Recover removes the remaining behaviours set by Next.
func (s *Server) Recover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = nil
}

// FailNext answers the next n calls with status and body.
func (s *Server) FailNext(n, status int, body string) {
	s.Next(n, Behaviour{Status: status, Body: body})
}

// SetClock sets the clock of the bucket, of the age of charges and of the Date header, default time.Now.
func (s *Server) SetClock(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// LimitRate sets a bucket, such as the documented one. By default calls are not limited. The zero Bucket removes the limit.
func (s *Server) LimitRate(b Bucket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bucket = nil
	if b.Size > 0 {
		s.bucket = &bucket{Bucket: b}
	}
}

// ErrorShape is a form of Recharge's error bodies.
type ErrorShape string

// The forms of an error body.
const (
	// ShapeError is {"error":"bad authentication"}, observed at a 401.
	ShapeError ErrorShape = "error"
	// ShapeErrors is {"errors":"Not Found"}, recorded at a 404 by https://github.com/mattgenious/RechargeSharp,
	// get-subscription_404_no-subscription-with-the-given-id.json.
	ShapeErrors ErrorShape = "errors"
	// ShapeField is {"errors":{"email":"email already exists on store"}}, recorded at a 422 by the same,
	// create-customer_422_email-already-taken.json.
	ShapeField ErrorShape = "field"
	// ShapeList is {"errors":{"cursor":["Invalid value"]}}, recorded at a 422 by the same, list-customers_422_invalid-cursor.json.
	ShapeList ErrorShape = "list"
)

// Body returns an error body of this form; the first two forms do not contain the field.
func (e ErrorShape) Body(field, text string) string {
	body := fields{}
	switch e {
	case ShapeErrors:
		body["errors"] = text
	case ShapeField:
		body["errors"] = fields{field: text}
	case ShapeList:
		body["errors"] = fields{field: []string{text}}
	default:
		body["error"] = text
	}
	return string(encode(body))
}

func refuse(status int, shape ErrorShape, field, text string) answer {
	return answer{status: status, body: []byte(shape.Body(field, text))}
}
