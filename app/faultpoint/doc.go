// Package faultpoint kills or freezes the process at a named step, for tests. A build without the tag faultpoints has disabled.go, and no fault
// points.
package faultpoint
