package browser

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// timeout of one step in a tab. It is long for machines that do much else.
const timeout = time.Minute

// watch runs in each page before its own scripts: it notes what the Content-Security-Policy refuses. executed is for payloads.
const watch = `window.executed = []; window.refused = [];
document.addEventListener("securitypolicyviolation", (e) => refused.push(e.effectiveDirective + " " + e.blockedURI + " " + e.sample));`

// Look is how a page is looked at.
type Look struct {
	Width, Height int64
	Dark          bool
	// Locale and Zone are the reader's, such as de-DE and Europe/Berlin; "" for those of the machine.
	Locale, Zone string
}

// Desk and Phone are a wide and a narrow window.
func Desk() Look { return Look{Width: 1280, Height: 900} }

// Phone is a narrow window.
func Phone() Look { return Look{Width: 375, Height: 812} }

// InDark is the same in dark.
func (l Look) InDark() Look {
	l.Dark = true
	return l
}

// String names the look.
func (l Look) String() string {
	name := fmt.Sprintf("%d", l.Width)
	if l.Dark {
		name += "-dark"
	}
	return name
}

// Tab is a page in the browser, with cookies of its own.
type Tab struct {
	t       testing.TB
	ctx     context.Context
	browser *Browser

	mu       sync.Mutex
	problems []string
}

// Tab opens a tab.
func (b *Browser) Tab(t testing.TB, look Look) *Tab {
	t.Helper()
	tab := &Tab{t: t, browser: b}
	var cancel func()
	tab.ctx, cancel = chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tab.heard))
	t.Cleanup(cancel)
	tab.check("open tab", chromedp.Do(tab.ctx)) // without a timeout, whose end would close the tab
	tab.Do("watch pages", command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch}))
	tab.Look(look)
	return tab
}

// Look changes how the pages of the tab are looked at.
func (tab *Tab) Look(look Look) {
	tab.t.Helper()
	scheme := "light"
	if look.Dark {
		scheme = "dark"
	}
	tab.Do("change look", chromedp.EmulateViewport(look.Width, look.Height),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}}),
		command(emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: look.Locale}),
		command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: look.Zone}))
	tab.Do("change language", command(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: Value[string](tab, "navigator.userAgent"), AcceptLanguage: look.Locale,
	}))
}

// Online connects the tab to the network, or cuts it off.
func (tab *Tab) Online(is bool) {
	tab.t.Helper()
	unlimited := float64(-1)
	tab.Do("change network",
		command(network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{
			{Offline: !is, DownloadThroughput: unlimited, UploadThroughput: unlimited},
		}}),
		command(network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !is, DownloadThroughput: unlimited, UploadThroughput: unlimited}))
}

// command is an action that sends a command of the protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, c, params)
		return chromedp.Void{}, err
	}
}

// heard notes what goes wrong in a page, and closes dialogs, which would block it.
func (tab *Tab) heard(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		tab.note("exception: " + exception(e.ExceptionDetails))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Source == log.EntrySourceSecurity {
			tab.note("log: " + e.Entry.Text + " " + e.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		if e.Type != page.DialogTypeBeforeunload {
			tab.note("dialog: " + e.Message)
		}
		go func() {
			_ = chromedp.Do(tab.ctx, command(page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}))
		}()
	}
}

// exception is the words of one.
func exception(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}

func (tab *Tab) note(problem string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.problems = append(tab.problems, problem)
}

// Problems returns what went wrong in the pages so far, and forgets it: exceptions, failed requests, dialogs, what the policy refused.
func (tab *Tab) Problems() []string {
	tab.t.Helper()
	executed := Value[[]string](tab, "(window.executed || []).splice(0)")
	refused := Value[[]string](tab, "(window.refused || []).splice(0)")
	tab.mu.Lock()
	defer tab.mu.Unlock()
	all := tab.problems
	tab.problems = nil
	for _, each := range executed {
		all = append(all, "executed: "+each)
	}
	for _, each := range refused {
		all = append(all, "refused by the policy: "+each)
	}
	return all
}

// Do runs actions in the tab, and ends the test if one fails or takes too long.
func (tab *Tab) Do(what string, actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, timeout)
	defer cancel()
	tab.check(what, chromedp.Do(ctx, actions...))
}

// check ends the test after an error, with what the page shows.
func (tab *Tab) check(what string, err error) {
	tab.t.Helper()
	if err == nil {
		return
	}
	ctx, cancel := context.WithTimeout(tab.ctx, timeout)
	defer cancel()
	if image, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
		_ = tab.browser.save("failed-"+strings.ReplaceAll(tab.t.Name(), "/", "-"), image)
	}
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
	tab.mu.Lock()
	problems := strings.Join(tab.problems, "; ")
	tab.mu.Unlock()
	require.NoError(tab.t, err, "%s; problems so far: %s\n%s", what, problems, text)
}

// Value evaluates an expression of JavaScript in a tab.
func Value[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, timeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	tab.check("evaluate "+expression, err)
	return value
}

// Open loads an address.
func (tab *Tab) Open(address string) {
	tab.t.Helper()
	tab.Do("open "+address, chromedp.Navigate(address))
}

// Click clicks an element with the mouse.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.Do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// Type puts text in place of what a field has, key by key.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.Await(fmt.Sprintf(`(() => { const field = document.querySelector(%q); field?.focus(); field?.select(); return document.activeElement === field; })()`, selector))
	tab.Do("type into "+selector, chromedp.KeyEvent(text))
}

// Press presses keys.
func (tab *Tab) Press(keys string) {
	tab.t.Helper()
	tab.Do("press keys", chromedp.KeyEvent(keys))
}

// Await waits until an expression is true. It is asked again and again, because a page may be replaced meanwhile.
func (tab *Tab) Await(expression string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, timeout)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && is {
			return
		}
		select {
		case <-ctx.Done():
			tab.check("wait until "+expression, ctx.Err())
			return
		case <-ticker.C:
		}
	}
}

// Sees waits until an element of a selector has words.
func (tab *Tab) Sees(selector, words string) {
	tab.t.Helper()
	tab.Await(fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => (e.textContent + ' ' + (e.value || '')).includes(%q))", selector, words))
}

// Overflows returns elements that are wider than the window, unless they lie in one that scrolls.
func (tab *Tab) Overflows() []string {
	tab.t.Helper()
	return Value[[]string](tab, `(() => { const width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= width) return [];
		return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1 && !e.closest(".scroll"))
			.map((e) => e.tagName + "." + e.className + " " + Math.round(e.getBoundingClientRect().right)); })()`)
}

// Picture saves a picture of the whole page, once its images are there.
func (tab *Tab) Picture(name string) {
	tab.t.Helper()
	tab.Await("[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
	ctx, cancel := context.WithTimeout(tab.ctx, timeout)
	defer cancel()
	image, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	tab.check("take picture", err)
	require.NoError(tab.t, tab.browser.save(name, image))
}
