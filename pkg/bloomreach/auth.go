package bloomreach

import "encoding/base64"

// Auth holds the credentials of a project. Printing it does not reveal them.
type Auth struct {
	header  string   // value of Authorization
	secrets []string // to be removed from texts
}

// PrivateKey returns the credentials of a private API key: id and secret
// (https://documentation.bloomreach.com/engagement/reference/technical-information). The key needs the permissions
// "Events > Set" and "Customer properties > Set".
func PrivateKey(id, secret string) Auth {
	if id == "" || secret == "" {
		return Auth{}
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(id + ":" + secret))
	return Auth{header: "Basic " + encoded, secrets: []string{secret, encoded}}
}

// PublicToken returns the credentials of a public API token
// (https://documentation.bloomreach.com/engagement/reference/technical-information).
func PublicToken(token string) Auth {
	if token == "" {
		return Auth{}
	}
	return Auth{header: "Token " + token, secrets: []string{token}}
}

// String hides the credentials.
func (Auth) String() string { return "bloomreach.Auth{***}" }

// GoString hides the credentials.
func (a Auth) GoString() string { return a.String() }
