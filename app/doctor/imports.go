package doctor

import (
	"time"

	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

const checkImport = "import"

// imported checks whether the store was imported.
func (s Store) imported(found inKafka) []Row {
	if found.settings == nil {
		return []Row{notChecked(checkImport, found.because)}
	}
	last := settings.ImportOf(found.settings, s.Name)
	if last.Version == 0 {
		return []Row{{Check: checkImport, Status: Warning, Found: "never imported: the tables have only what webhooks and lookups brought", Cure: "rechargeflow import --store " + s.Name}}
	}
	return []Row{{Check: checkImport, Status: OK, Found: "complete since " + last.CompleteSince.Format(time.RFC3339)}}
}
