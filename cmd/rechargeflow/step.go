//go:build !faultpoints

package main

// step is what a consumer calls between any two steps that a crash may come between: nothing, but in a build with the tag
// faultpoints, which is for tests (step_faultpoints.go).
func step() func(name string) { return nil }
