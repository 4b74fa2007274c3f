package service

import "time"

// Token is a token of the API, without its secret.
type Token struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	By      string    `json:"by"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
}

// NewToken is a token that was just created: its secret is shown once.
type NewToken struct {
	Token

	Secret string `json:"secret"`
}
