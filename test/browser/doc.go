// Package browser drives a headless Chromium in tests, and checks with axe-core that pages can be used by everybody.
//
//	browser.go  Browser: one process, skipped where there is no Chromium
//	tab.go      Tab: a page at a size, in light or dark; what it ran and refused
//	axe.go      violations that axe-core finds
package browser
