package links

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Sign is why a request counts as that of a program; "" for a person's. It is a label of a metric and a field of a click.
type Sign string

// The signs. How other systems tell programs from people: https://support.bloomreach.com/hc/en-us/articles/20979976065565,
// https://academy.insiderone.com/docs/sms-bot-clicks, https://docs.tracklysms.com/guides/link-tracking/bot-detection.
const (
	SignPreview  Sign = "preview"         // an app that shows a picture of the page in a conversation
	SignCrawler  Sign = "crawler"         // a program that names itself: a search engine, a scanner, a monitor
	SignLibrary  Sign = "library"         // a program's HTTP library, or a browser without a screen
	SignPrefetch Sign = "prefetch"        // a browser that loads the page before anybody wants to see it
	SignNoAgent  Sign = "no_user_agent"   // every browser sends one
	SignInstant  Sign = "instant"         // sooner after the claim of the text than it can be read
	SignAllLinks Sign = "several_at_once" // several links of a text in the same moment: a scanner tries all
)

// Instant is how soon after the claim of a text a click counts as that of a scanner: the text has to reach the provider, the carrier and
// the phone, and somebody has to read it.
const Instant = 3 * time.Second

// AtOnce is how near each other clicks on several links of one text are for SignAllLinks.
const AtOnce = 2 * time.Second

// agentSign is a part of user agents that is a sign; "" for one that is none although it has a part that is.
type agentSign struct {
	part string
	sign Sign
}

// agents are parts of user agents, in lower case, in the order in which they are looked for.
func agents() []agentSign {
	return []agentSign{
		// previews; iMessage names itself facebookexternalhit and Twitterbot, too
		{"google-pagerenderer", SignPreview},
		{"facebookexternalhit", SignPreview},
		{"facebot", SignPreview},
		{"twitterbot", SignPreview},
		{"whatsapp", SignPreview},
		{"telegrambot", SignPreview},
		{"skypeuripreview", SignPreview},
		{"slackbot", SignPreview},
		{"discordbot", SignPreview},
		{"linkedinbot", SignPreview},
		{"snapchat url preview", SignPreview},
		{"google-safety", SignCrawler},
		{"google-read-aloud", SignCrawler},
		{"google web preview", SignPreview},
		{"developers.google.com/+/web/snippet", SignPreview},
		{"preview", SignPreview},
		// libraries, and browsers that nobody looks at
		{"curl/", SignLibrary},
		{"wget/", SignLibrary},
		{"python", SignLibrary},
		{"aiohttp", SignLibrary},
		{"go-http-client", SignLibrary},
		{"okhttp", SignLibrary},
		{"apache-httpclient", SignLibrary},
		{"java/", SignLibrary},
		{"libwww-perl", SignLibrary},
		{"node-fetch", SignLibrary},
		{"axios/", SignLibrary},
		{"undici", SignLibrary},
		{"headless", SignLibrary},
		{"phantomjs", SignLibrary},
		{"puppeteer", SignLibrary},
		{"playwright", SignLibrary},
		// crawlers
		{"cubot", ""}, // a maker of phones
		{"bot", SignCrawler},
		{"crawl", SignCrawler},
		{"spider", SignCrawler},
		{"scan", SignCrawler},
		{"slurp", SignCrawler},
		{"monitor", SignCrawler},
		{"proofpoint", SignCrawler},
		{"barracuda", SignCrawler},
		{"symantec", SignCrawler},
		{"+http", SignCrawler}, // the address of who runs it
	}
}

// headers are those that a browser sends when nobody has asked for the page yet.
func headers() [][2]string {
	return [][2]string{{"Sec-Purpose", "prefetch"}, {"Purpose", "prefetch"}, {"X-Purpose", "preview"}, {"X-Moz", "prefetch"}}
}

// SignOf returns the sign of a request for a link of a text that was claimed at a time.
func SignOf(header http.Header, claimed, now time.Time) Sign {
	for _, h := range headers() {
		if strings.Contains(strings.ToLower(header.Get(h[0])), h[1]) {
			return SignPrefetch
		}
	}
	agent := strings.ToLower(header.Get("User-Agent"))
	if strings.TrimSpace(agent) == "" {
		return SignNoAgent
	}
	list := agents()
	i := slices.IndexFunc(list, func(a agentSign) bool { return strings.Contains(agent, a.part) })
	if i >= 0 && list[i].sign != "" {
		return list[i].sign
	}
	if now.Sub(claimed) < Instant {
		return SignInstant
	}
	return ""
}

// Family returns the kind of browser or program that a user agent names, one of few: it identifies nobody.
func Family(agent string) string {
	agent = strings.ToLower(agent)
	for _, f := range [][2]string{
		{"iphone", "ios"}, {"ipad", "ios"}, {"android", "android"}, {"windows", "windows"}, {"macintosh", "macos"}, {"cros", "chromeos"}, {"linux", "linux"},
	} {
		if strings.Contains(agent, f[0]) {
			return f[1]
		}
	}
	return "other"
}
