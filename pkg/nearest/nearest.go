// Package nearest finds the name that a mistyped one was meant to be.
package nearest

// Of returns the known name that differs from the given one by the fewest bytes, "" if all differ by more than most. Of two that are equally near it
// returns the first.
func Of[S ~string](given S, known []S, most int) S {
	var found S
	fewest := most + 1
	for _, name := range known {
		if abs(len(name)-len(given)) >= fewest {
			continue
		}
		if d := distance(given, name); d < fewest {
			found, fewest = name, d
		}
	}
	return found
}

// distance returns how many bytes have to be added, removed or replaced to make one text of the other (Levenshtein).
func distance[S ~string](a, b S) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

func abs(n int) int { return max(n, -n) }
