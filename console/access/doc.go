// Package access decides who may use the console, and protects its requests and responses. docs/console-access.md explains it.
//
//	access.go        Access, Guard: what each request passes, in order
//	person.go        Person, Role; who sends the request of a context
//	listen.go        CheckListen: where a console may listen
//	via.go           how a request has come here: proxies, names of the host; where to go after logging in
//	visit.go         who sends a request
//	csrf.go          requests that another site makes a browser send
//	headers.go       the headers of every response
//	cookie.go        the cookies
//	state.go         State: sessions, signatures
//	limit.go         how often something may be tried
//	form.go          what the page for logging in shows, and why a request is refused
//	login.go         logging in with a password, logging out
//	outcome.go       the outcomes of attempts to log in
//	password.go      hashes of passwords
//	people.go        People: the file of people, followed
//	people_parse.go  its format and faults
//	people_add.go    adds a person to it
//	oidc.go          OIDC: the provider, its tokens
//	oidc_claims.go   from claims to a person
//	oidc_login.go    logging in at the provider
//	tokens.go        Tokens: API tokens
package access
