package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// claims are what a provider says about a person.
type claims map[string]any

// errNoRole means that the provider knows the person, and the console has no role for them.
var errNoRole = errors.New("the person has no role: no value of the claim is mapped to one, and there is no default role")

// personOf returns who the person with claims is in the console.
func (o *OIDC) personOf(of claims) (Person, error) {
	name, err := o.nameOf(of)
	if err != nil {
		return Person{}, err
	}
	if err := o.checkDomain(of); err != nil {
		return Person{}, err
	}
	role := o.DefaultRole
	for _, value := range of.texts(o.RoleClaim) {
		if mapped := o.Roles[value]; mapped.rank() > role.rank() && (o.RoleClaim != emailClaim || of.isVerified()) {
			role = mapped
		}
	}
	if !role.IsValid() {
		return Person{}, errNoRole
	}
	return Person{Name: name, Role: role}, nil
}

const emailClaim = "email"

// nameOf returns the name of a person, which the history of settings shows.
func (o *OIDC) nameOf(of claims) (string, error) {
	name := strings.TrimSpace(strings.Join(of.texts(o.NameClaim), ""))
	switch {
	case name == "" || len(name) > 200:
		return "", fmt.Errorf("the claim %s is missing or too long: choose another one with console.oidc.name_claim, or add its scope to console.oidc.scopes", o.NameClaim)
	case strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) }):
		return "", fmt.Errorf("the claim %s has a character that can't be printed", o.NameClaim)
	case name == Local, strings.HasPrefix(name, tokenName):
		return "", fmt.Errorf("the claim %s is a name of the console's own", o.NameClaim)
	case o.NameClaim == emailClaim && !of.isVerified():
		return "", errors.New("the provider has not verified the e-mail address (email_verified)")
	}
	return name, nil
}

// checkDomain refuses people whose address is not of one of the domains.
func (o *OIDC) checkDomain(of claims) error {
	if len(o.Domains) == 0 {
		return nil
	}
	address := strings.ToLower(strings.Join(of.texts(emailClaim), ""))
	_, domain, found := strings.Cut(address, "@")
	switch {
	case !of.isVerified():
		return errors.New("the provider has not verified the e-mail address (email_verified)")
	case !found || !slices.ContainsFunc(o.Domains, func(d string) bool { return strings.EqualFold(d, domain) }):
		return errors.New("the e-mail address is of no domain of console.oidc.allowed_domains")
	}
	return nil
}

// texts returns the values of a claim that is a text or a list of them. A dot leads into an object: realm_access.roles.
func (c claims) texts(name string) []string {
	value, found := c[name]
	if outer, inner, nested := strings.Cut(name, "."); !found && nested {
		object, _ := c[outer].(map[string]any)
		return claims(object).texts(inner)
	}
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, each := range v {
			if text, ok := each.(string); ok {
				all = append(all, text)
			}
		}
		return all
	}
	return nil
}

// isVerified reports whether the provider has verified the e-mail address. Some send a text.
func (c claims) isVerified() bool {
	return c["email_verified"] == true || c["email_verified"] == "true"
}
