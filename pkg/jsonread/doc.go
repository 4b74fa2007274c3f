// Package jsonread checks and reads JSON in one pass. Its results are those of encoding/json.
//
//	scanner.go  Scanner: the members of objects by name, and raw values; checks all that it reads
//	skip.go     checks one value
//	decoder.go  Decoder: values of a type by its json tags; leaves what is odd to encoding/json
//	plan.go     how each type is read
package jsonread
