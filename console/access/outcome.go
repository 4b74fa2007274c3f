package access

// Outcome is the outcome of an attempt to log in.
type Outcome string

// The outcomes of attempts to log in.
const (
	LoggedIn        Outcome = "ok"
	WrongPassword   Outcome = "wrong_password"   // or a name that does not exist
	Limited         Outcome = "limited"          // there were too many attempts before
	OIDCRefused     Outcome = "oidc_refused"     // by the provider, or its answer is not valid
	OIDCExpired     Outcome = "oidc_expired"     // it took too long, or the answer is that to another browser
	OIDCUnavailable Outcome = "oidc_unavailable" // the provider does not answer, or with an error of its own
	NoRole          Outcome = "no_role"          // the provider knows the person, who has no role
)

// fault returns the message that the page shows. It is the same for a name that does not exist.
func (o Outcome) fault() string {
	return map[Outcome]string{
		WrongPassword:   "Name or password is wrong.",
		Limited:         "There were too many attempts. Try again later.",
		OIDCRefused:     "Logging in did not succeed. Try again.",
		OIDCExpired:     "It took too long, or was begun in another browser. Try again.",
		OIDCUnavailable: "The provider of your account can't be reached now. Try again later.",
		NoRole:          "You are known, but have no role in the console. Ask an operator.",
	}[o]
}
