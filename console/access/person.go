package access

import "context"

// Role is what a person may do. Each role may do what the ones before it may.
type Role string

// The roles, from least to most.
const (
	Viewer   Role = "viewer"   // sees everything, personal data masked
	Editor   Role = "editor"   // also changes flows, quiet hours, segments and consent
	Operator Role = "operator" // also replays dead letters, resolves unknown texts, pauses, reveals personal data, creates tokens
)

// Roles returns all roles, from least to most.
func Roles() []Role { return []Role{Viewer, Editor, Operator} }

// rank orders roles; 0 is none.
func (r Role) rank() int {
	for i, role := range Roles() {
		if r == role {
			return i + 1
		}
	}
	return 0
}

// IsValid reports whether r is one of Roles.
func (r Role) IsValid() bool { return r.rank() > 0 }

// Person is who sends a request. The zero Person is nobody, and may do nothing.
type Person struct {
	// Name is what recharge.settings gets as "by": a name of the file of people, what the OIDC provider calls the person, "token/{name}" for an API
	// token, or Local.
	Name string
	Role Role
	// Token reports whether a program sends the request, with an API token.
	Token bool
}

// Local is the name of everybody who uses a console without people, which only listens on loopback.
const Local = "local"

// May reports whether the person has a role, or a greater one.
func (p Person) May(role Role) bool { return role.IsValid() && p.Role.rank() >= role.rank() }

// Of returns who sends the request of ctx; nobody for a context without a request.
func Of(ctx context.Context) Person { return visitIn(ctx).person }

// CSRF returns what a form of the request's page has in its field FieldCSRF, and a script in the header HeaderCSRF.
func CSRF(ctx context.Context) string { return visitIn(ctx).csrf }

// InForce reports whether the session or token of a request is still in force. A response that goes on for long asks from time to time, and ends if
// it is not.
func InForce(ctx context.Context) bool {
	v := visitIn(ctx)
	return v.inForce == nil || v.inForce()
}

// With returns a context of a person, for tests of what is behind Guard.
func With(ctx context.Context, person Person) context.Context {
	return withVisit(ctx, visit{person: person})
}
