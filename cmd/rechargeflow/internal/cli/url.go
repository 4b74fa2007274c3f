package cli

import (
	"fmt"
	"net/url"
	"strings"
)

// BaseURL returns the URL of a flag, at which Recharge reaches the gateway, without a slash at its end.
func BaseURL(flag, given string) (string, error) {
	if given == "" {
		return "", fmt.Errorf("--%s is missing: the URL at which Recharge reaches the gateway, such as https://hooks.example.com", flag)
	}
	u, err := url.Parse(given)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("--%s is %q, expected a URL such as https://hooks.example.com, without user, query or fragment", flag, given)
	}
	return strings.TrimRight(given, "/"), nil
}
