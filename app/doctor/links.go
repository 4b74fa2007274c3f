package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/links"
)

const checkLinks = "short links"

// Links are the short links of a store's texts.
type Links struct {
	URL string // the address of their domain, "" for none
	Off string // why there are none
}

// links checks whether the domain of a store's short links leads to the role links. Nothing is counted as a click.
func (s Store) links(ctx context.Context) []Row {
	switch {
	case s.Texts.Driver == "":
		return nil
	case s.Texts.Links.URL == "":
		return []Row{{Check: checkLinks, Status: OK, Found: "none: " + s.Texts.Links.Off}}
	}
	return []Row{within(ctx, s.Texts.Links.probe)}
}

func (l Links) probe(ctx context.Context) Row {
	u, err := url.Parse(l.URL)
	if err != nil {
		return Row{Check: checkLinks, Status: Failed, Found: err.Error(), Cure: "set sms.links.url"}
	}
	state, found := l.ask(ctx)
	switch {
	case state == links.ProbeReading:
		return Row{Check: checkLinks, Status: Warning, Found: l.URL + " leads to the role links, which has not read recharge.links yet", Cure: "see rechargeflow ready and the log of rechargeflow run links"}
	case state != links.ProbeReady:
		return Row{
			Check: checkLinks, Status: Failed, Found: found,
			Cure: "run rechargeflow run links, and let DNS and the proxy lead " + u.Host + " to its links.listen; if only this machine can't reach it, check elsewhere",
		}
	case u.Scheme != "https":
		return Row{
			Check: checkLinks, Status: Warning, Found: l.URL + " leads to the role links, but is a private address: no customer can open it",
			Cure: "set sms.links.url to an https address that customers reach",
		}
	}
	return Row{Check: checkLinks, Status: OK, Found: l.URL + " leads to the role links"}
}

// ask returns the state of the role links at the address, or what was found instead.
func (l Links) ask(ctx context.Context) (state, found string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.URL+links.ProbePath, http.NoBody)
	if err != nil {
		return "", err.Error()
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented
	transport.DisableKeepAlives = true
	answer, err := httpclient.WithoutRedirects(&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return "", fmt.Sprintf("GET %s%s: %v", l.URL, links.ProbePath, httpclient.WithoutURL(err))
	}
	defer func() { _ = answer.Body.Close() }() // it is not read
	return answer.Header.Get(links.ProbeHeader), fmt.Sprintf("GET %s%s: answered with %s, and not by the role links", l.URL, links.ProbePath, answer.Status)
}
