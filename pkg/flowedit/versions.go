package flowedit

import (
	"errors"
	"fmt"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/settings"
)

// ErrNoVersion means that a flow has no such version.
var ErrNoVersion = errors.New("no such version")

// VersionError names the version that a flow does not have. It wraps ErrNoVersion.
type VersionError struct {
	Store         string
	Flow          flow.Key
	Version, Last int
}

// Error says which version the flow does not have.
func (e *VersionError) Error() string {
	return fmt.Sprintf("flow %s of store %s has no version %d, the last is %d", e.Flow, e.Store, e.Version, e.Last)
}

// Unwrap returns ErrNoVersion.
func (e *VersionError) Unwrap() error { return ErrNoVersion }

// Version returns a flow of the store at a version, 0 for the built-in one. The error is a VersionError if there is none.
func (e Editor) Version(rows *settings.Rows[settings.Setting], key flow.Key, number int) (settings.Flow, error) {
	versions, err := settings.HistoryOf(rows, e.Store, key)
	if err != nil {
		return settings.Flow{}, err
	}
	for _, f := range versions {
		if f.Version == number {
			return f, nil
		}
	}
	return settings.Flow{}, &VersionError{Store: e.Store, Flow: key, Version: number, Last: versions[len(versions)-1].Version}
}

// Restore sets what a flow does to that of an earlier version. Whether it is active stays: nobody has seen what activating it would send.
func Restore(f *settings.Flow, earlier settings.Flow) {
	definition := earlier.Definition()
	definition.Active = f.Active
	f.Define(definition)
}

// Differences names what differs between two versions of a flow.
func Differences(before, after settings.Flow) (names []string) {
	for _, each := range []struct {
		differs bool
		name    string
	}{
		{!before.Active && after.Active, "activated"},
		{before.Active && !after.Active, "deactivated"},
		{before.Text != after.Text, "text"},
		{before.Name != after.Name, "name"},
		{before.QuietHours != after.QuietHours, "quiet hours"},
		{before.WindowSeconds != after.WindowSeconds, "window"},
		{before.PerCharge != after.PerCharge, "per charge"},
		{before.DailyCap != after.DailyCap, "daily cap"},
	} {
		if each.differs {
			names = append(names, each.name)
		}
	}
	return names
}

// Diff returns the difference of two versions as diff -u prints it, "" if they are equal.
func Diff(before, after settings.Flow) (string, error) {
	var files [2][]byte
	for i, f := range []settings.Flow{before, after} {
		file, err := flow.Format([]flow.Flow{f.Definition()})
		if err != nil {
			return "", err
		}
		files[i] = file
	}
	name := func(f settings.Flow) string { return fmt.Sprintf("%s/%s version %d", f.Store, f.Key, f.Version) }
	return string(diff.Diff(name(before), files[0], name(after), files[1])), nil
}
