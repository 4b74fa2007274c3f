package access

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
)

// CheckListen returns an error if a console must not listen on an address: without people and OIDC everybody who reaches it is an operator, so only
// programs on the same machine may. publicURL is where a proxy lets people reach it, "" for the address itself.
func CheckListen(listen, publicURL string, people, oidc bool) error {
	if people || oidc {
		return nil
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil || !isLoopback(host) {
		return fmt.Errorf("console.listen is %s, which other machines may reach, and nobody is configured: set console.people_file or console.oidc.issuer, or listen on 127.0.0.1", listen)
	}
	if publicURL == "" {
		return nil
	}
	u, err := url.Parse(publicURL)
	if err != nil || !isLoopback(u.Hostname()) {
		return fmt.Errorf("console.url is %s, which other machines may reach, and nobody is configured: set console.people_file or console.oidc.issuer", publicURL)
	}
	return nil
}

// isLoopback reports whether a host, without port, is this machine.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
