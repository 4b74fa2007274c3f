//go:build !faultpoints

package app

import "go.uber.org/zap"

// newFaultPoint returns nil: this build has no fault points. With the tag faultpoints, for tests, faultpoint_enabled.go
// is built in place of this file.
func newFaultPoint(string, *zap.Logger) (func(name string), error) { return nil, nil }
