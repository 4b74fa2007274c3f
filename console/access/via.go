package access

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// via is how a request has come here.
type via struct {
	client  netip.Addr // who sent it, as far as trusted proxies say
	secure  bool       // by TLS, all the way from the browser to the first trusted proxy
	proxied bool       // a header says that it passed a proxy
}

// viaOf reads the headers of proxies, and believes those that a trusted one sends.
func (a *Access) viaOf(r *http.Request) via {
	v := via{secure: r.TLS != nil || a.url.Scheme == "https"}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		v.proxied = v.proxied || r.Header.Get(name) != ""
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return v
	}
	v.client = peer.Addr().Unmap()
	if !a.trusts(v.client) {
		return v
	}
	v.secure = v.secure || lastOf(r.Header.Values("X-Forwarded-Proto")) == "https"
	hops := listOf(r.Header.Values("X-Forwarded-For"))
	for _, hop := range slices.Backward(hops) { // each proxy appends whom it got the request from
		address, err := netip.ParseAddr(hop)
		if err != nil {
			break
		}
		v.client = address.Unmap().WithZone("")
		if !a.trusts(v.client) {
			break
		}
	}
	return v
}

func (a *Access) trusts(peer netip.Addr) bool {
	return slices.ContainsFunc(a.cfg.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// listOf returns the elements of a header that is a list, over several lines or one.
func listOf(lines []string) (elements []string) {
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			elements = append(elements, strings.TrimSpace(element))
		}
	}
	return elements
}

func lastOf(lines []string) string {
	elements := listOf(lines)
	if len(elements) == 0 {
		return ""
	}
	return elements[len(elements)-1]
}

// knowsHost reports whether a request names the console by an address at which it may be reached. A page of another site can make its own name resolve
// to the console's address (DNS rebinding), and would then be of the same origin. So a name must be that of console.url or of this machine. An IP
// address can't be made to resolve to another. Without people it must be of loopback, too.
func (a *Access) knowsHost(host string) bool {
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if isLoopback(name) || a.url.Hostname() != "" && name == strings.ToLower(a.url.Hostname()) {
		return true
	}
	_, err := netip.ParseAddr(name)
	return err == nil && !a.isLocal()
}

// safeNext returns where to go after logging in: a path of the console, "/" for anything else.
func safeNext(next string) string {
	u, err := url.Parse(next)
	switch {
	case err != nil, len(next) > maxNext, !strings.HasPrefix(next, "/"), strings.ContainsAny(next, "\\"):
		return "/"
	case u.Scheme != "", u.Host != "", u.User != nil, strings.HasPrefix(u.Path, "//"), strings.HasPrefix(u.Path, PathLogin), u.Path == PathLogout:
		return "/"
	case strings.ContainsFunc(next, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return "/"
	}
	return u.RequestURI()
}

// maxNext is the longest address to go to after logging in.
const maxNext = 1024
