// Package sending defines how a store sends its texts, as it is set at run time: quiet hours, the limit of a day, and pauses. It does no I/O and
// has no clock.
//
//	settings.go   Settings, their defaults and what is valid
package sending
