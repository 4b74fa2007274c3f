package bloomreach

import "encoding/base64"

// Auth is the proof that we may write to the project. It never shows its content when printed.
type Auth struct {
	header  string   // of Authorization
	secrets []string // what must never be repeated
}

// PrivateKey is an API key of the kind "private": key id and secret
// (https://documentation.bloomreach.com/engagement/reference/technical-information). It needs the permissions
// "Events > Set" and "Customer properties > Set".
func PrivateKey(id, secret string) Auth {
	if id == "" || secret == "" {
		return Auth{}
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(id + ":" + secret))
	return Auth{header: "Basic " + encoded, secrets: []string{secret, encoded}}
}

// PublicToken is an API token of the kind "public"
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
