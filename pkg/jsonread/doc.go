// Package jsonread reads JSON without reflection and without copies. Its results are those of encoding/json.
//
//	scanner.go  Scanner: the members of objects by name, and raw values; checks all that it reads
//	skip.go     checks one value
package jsonread
