package access

import "net/http"

// policy is the Content-Security-Policy of every page: nothing inline, nothing from elsewhere. img-src has data: for icons in the style sheet.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// setHeaders sets what every response has. A handler of what is no secret, such as the style sheet, sets another Cache-Control.
//
// The referrer policy is not no-referrer, because browsers would then send "Origin: null" with forms
// (https://fetch.spec.whatwg.org/#append-a-request-origin-header), which the check of the origin refuses.
func setHeaders(h http.Header, secure bool) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
