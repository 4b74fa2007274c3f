package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// State is what a process remembers while its configuration changes: sessions, failed attempts to log in, and the key of what it signs. It is in memory
// only, so everybody logs in again after a restart.
type State struct {
	key       []byte
	names     *limit // attempts to log in under one name, from anywhere
	pairs     *limit // likewise, from one address
	addresses *limit // failed attempts from one address
	hashing   chan struct{}

	mu       sync.Mutex
	sessions map[[sha256.Size]byte]*session
}

// Limits of logging in. A password takes a quarter of a second to check, on one CPU.
const (
	nameBurst    = 100
	nameEvery    = time.Minute
	pairBurst    = 10
	pairEvery    = 2 * time.Minute
	addressBurst = 20
	addressEvery = time.Minute
	counters     = 1 << 14
	hashAtOnce   = 2
	ofOnePerson  = 20 // sessions
)

// NewState returns a State without sessions.
func NewState() *State {
	return &State{
		key:       []byte(newSecret()),
		names:     newLimit(counters, nameBurst, nameEvery),
		pairs:     newLimit(counters, pairBurst, pairEvery),
		addresses: newLimit(counters, addressBurst, addressEvery),
		hashing:   make(chan struct{}, hashAtOnce),
		sessions:  map[[sha256.Size]byte]*session{},
	}
}

// session is somebody who has logged in.
type session struct {
	person Person
	oidc   bool // the provider knows the person, else the file of people does
	// stamp identifies what the rights come from. The session ends when it differs.
	stamp          string
	created, asked time.Time
}

// lasts reports whether the session has not come to an end by time.
func (s *session) lasts(now time.Time, limits Limits) bool {
	return now.Sub(s.created) < limits.Max && now.Sub(s.asked) < limits.Idle
}

// newSecret returns a text with 256 random bits.
func newSecret() string {
	b := make([]byte, sha256.Size)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// begin adds a session, and returns the value of its cookie.
func (s *State) begin(begun session, limits Limits) (cookie string) {
	cookie = newSecret()
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.sessions, func(_ [sha256.Size]byte, each *session) bool { return !each.lasts(begun.created, limits) })
	s.makeRoom(begun.person.Name)
	s.sessions[sha256.Sum256([]byte(cookie))] = &begun
	return cookie
}

// makeRoom ends sessions of a person who has many: those that were not used for longest.
func (s *State) makeRoom(name string) {
	var own [][sha256.Size]byte
	for key, each := range s.sessions {
		if each.person.Name == name {
			own = append(own, key)
		}
	}
	slices.SortFunc(own, func(a, b [sha256.Size]byte) int { return s.sessions[a].asked.Compare(s.sessions[b].asked) })
	for _, key := range own[:max(0, len(own)-ofOnePerson+1)] {
		delete(s.sessions, key)
	}
}

// find returns the session of a cookie, if it is in force at a time. stampOf returns what a session's rights come from now.
func (s *State) find(cookie string, now time.Time, limits Limits, stampOf func(session) string) (found session, ok bool) {
	key := sha256.Sum256([]byte(cookie))
	s.mu.Lock()
	defer s.mu.Unlock()
	each := s.sessions[key]
	switch {
	case each == nil:
		return session{}, false
	case !each.lasts(now, limits), stampOf(*each) != each.stamp:
		delete(s.sessions, key)
		return session{}, false
	}
	return *each, true
}

// use notes that the session of a cookie was used.
func (s *State) use(cookie string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if each := s.sessions[sha256.Sum256([]byte(cookie))]; each != nil && each.asked.Before(now) {
		each.asked = now
	}
}

// end ends the session of a cookie. The cookie is of no use from then on.
func (s *State) end(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, sha256.Sum256([]byte(cookie)))
}

// Limits are how long a session lasts: without a request, and at most.
type Limits struct{ Idle, Max time.Duration }

// sign returns the signature of a text for one purpose.
func (s *State) sign(purpose, text string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(purpose + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// seal returns a text with its signature.
func (s *State) seal(purpose, text string) string {
	encoded := base64.RawURLEncoding.EncodeToString([]byte(text))
	return encoded + "." + s.sign(purpose, encoded)
}

// open returns the text of seal; ok is false if it is not what seal returned for the purpose.
func (s *State) open(purpose, sealed string) (text string, ok bool) {
	encoded, signature, _ := strings.Cut(sealed, ".")
	if !hmac.Equal([]byte(signature), []byte(s.sign(purpose, encoded))) {
		return "", false
	}
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	return string(decoded), err == nil
}
