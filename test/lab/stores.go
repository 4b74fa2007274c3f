package lab

import (
	"fmt"
	"strings"
)

// TextStore is a store with texts and no events.
type TextStore struct {
	Name string
	// SMS are the settings of its block sms, one per line.
	SMS string
}

// moreStores returns the settings of the stores with events only.
func (l *Lab) moreStores(bloomreachURL string) string {
	var stores strings.Builder
	for i := range l.MoreStores {
		fmt.Fprintf(&stores, `  - name: %s-%d
    recharge: {secrets: [%q], token: %q, api_url: %q}
    bloomreach: %s
`,
			Store, i+1, Secret, apiToken, l.API.URL, l.project(bloomreachURL))
	}
	return stores.String()
}

// textStores returns the settings of TextStores.
func (l *Lab) textStores() string {
	var stores strings.Builder
	for _, store := range l.TextStores {
		fmt.Fprintf(&stores, `  - name: %s
    recharge: {secrets: [%q], token: %q, api_url: %q}
    bloomreach: {enabled: false}
    sms:
      %s
`,
			store.Name, Secret, apiToken, l.API.URL, strings.ReplaceAll(strings.TrimSpace(store.SMS), "\n", "\n      "))
	}
	return stores.String()
}

// texting returns the names of the stores that send texts.
func (l *Lab) texting() []string {
	names := []string{Store}
	for _, store := range l.TextStores {
		names = append(names, store.Name)
	}
	return names
}
