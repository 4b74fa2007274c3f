package customerstate

import "strings"

// Three kinds of rows had other keys in version 0:
//
//	told/{store}/{customer}/{month}           is emitted/...
//	ask/{store}/{customer}/{kind}/{charge}    is lookup/..., the kinds identity and flag are customer and subscriptions
//	release/{store}/{customer}                is replay/...
//
// Each transaction moves all remaining rows of the last two kinds, which are few, and the facts of the customers that it loads.
const (
	legacyEmittedRows = "told/"
	legacyLookupRows  = "ask/"
	legacyReplayRows  = "release/"
)

func hasLegacy(rows Overlay) bool {
	for _, kind := range []string{legacyEmittedRows, legacyLookupRows, legacyReplayRows} {
		for range rows.ScanFrom([]byte(kind), nil) {
			return true
		}
	}
	return false
}

func (tx *Tx) moveLegacy() {
	if !tx.partition.legacy {
		return
	}
	kinds := strings.NewReplacer("/identity/", "/customer/", "/flag/", "/subscriptions/")
	tx.moveRows([]byte(legacyLookupRows), len(legacyLookupRows), lookupRows, kinds.Replace)
	tx.moveRows([]byte(legacyReplayRows), len(legacyReplayRows), replayRows, func(rest string) string { return rest })
}

func (tx *Tx) moveLegacyEmitted(ref Ref) {
	if tx.partition.legacy {
		tx.moveRows(ref.key(legacyEmittedRows, "/"), len(legacyEmittedRows), emittedRows, func(rest string) string { return rest })
	}
}

// moveRows moves rows to keys with another prefix.
func (tx *Tx) moveRows(prefix []byte, cut int, to string, rename func(rest string) string) {
	for key, row := range tx.scan(prefix) {
		tx.set([]byte(to+rename(string(key[cut:]))), row)
		tx.set(key, nil)
	}
}
