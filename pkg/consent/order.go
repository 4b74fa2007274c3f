package consent

import (
	"iter"
	"slices"
	"strings"
)

// decisions yields the rows of numbers in the order of their keys, without repetitions: of the rows of a number that tell of the same event the
// first holds, because a source without times tells of an event again at a later time.
func decisions[R any](rows iter.Seq2[string, R]) iter.Seq2[string, R] {
	return func(yield func(string, R) bool) {
		var number string
		var known []string
		for key, row := range rows {
			if number == "" || !strings.HasPrefix(key, number) {
				number, known = numberOf(key), nil
			}
			if event := eventOf(key); event != "" {
				if slices.Contains(known, event) {
					continue
				}
				known = append(known, event)
			}
			if !yield(key, row) {
				return
			}
		}
	}
}

// The parts of a key: {store}/{hash of store and number}/{time}/{status}, and /{hash of event} for a change with an event.
const (
	partStatus = 3
	partEvent  = 4
)

func partOf(key string, n int) string {
	parts := strings.Split(key, "/")
	if n >= len(parts) {
		return ""
	}
	return parts[n]
}

func eventOf(key string) string { return partOf(key, partEvent) }

// numberOf returns the part of a key that stands for store and number.
func numberOf(key string) string {
	store, rest, _ := strings.Cut(key, "/")
	hash, _, _ := strings.Cut(rest, "/")
	return store + "/" + hash + "/"
}
