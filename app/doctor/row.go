package doctor

import "slices"

// Status is the result of a check.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Warning Status = "warning" // works, and is probably not intended; or it was not checked
	Failed  Status = "failed"
)

// Row is the result of one check.
type Row struct {
	Store  string `json:"store,omitempty"` // "" for a check that is not about one store
	Check  string `json:"check"`
	Status Status `json:"status"`
	Found  string `json:"found"`
	Cure   string `json:"cure,omitempty"` // what to do about it: a command or a setting; "" if nothing is to be done
}

// notChecked is the row of a check that can't be made.
func notChecked(check, because string) Row {
	return Row{Check: check, Status: Warning, Found: "not checked, because " + because}
}

// AnyFailed reports whether a check has failed.
func AnyFailed(rows []Row) bool {
	return slices.ContainsFunc(rows, func(r Row) bool { return r.Status == Failed })
}
