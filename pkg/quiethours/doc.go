// Package quiethours decides when a text may be sent: in no time zone where its recipient may be it is quiet then. It has no clock and
// does no I/O.
//
//	clock.go      Clock: a time of the day
//	hours.go      Hours: a store's quiet hours, and the windows that are left
//	states.go     the windows of US states
//	regions.go    regions.txt and areacodes.txt: the zones of states and provinces, and who has an area code
//	countries.go  countries.txt: the zones of countries
//	recipient.go  where a recipient may be: by the address, else by the phone, else where the store is
//	release.go    Finder: the first moment at which a text may be sent
package quiethours
