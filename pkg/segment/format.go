package segment

import (
	"fmt"
	"strings"
)

// String returns the rule as Parse reads it.
func (r Rule) String() string {
	parts, word := r.All, " and "
	if len(r.Any) > 0 {
		parts, word = r.Any, " or "
	}
	if len(parts) == 0 {
		return r.condition()
	}
	var texts []string
	for _, part := range parts {
		text := part.String()
		if len(part.All)+len(part.Any) > 0 {
			text = "(" + text + ")"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, word)
}

func (r Rule) condition() string {
	text := strings.Replace(string(r.Condition), "_", " ", 1) + " " + string(r.Flow)
	if r.WithinDays > 0 {
		text += fmt.Sprintf(" in %dd", r.WithinDays)
	}
	return text
}
