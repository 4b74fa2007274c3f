package wording

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Titles returns the different titles as plain text, in order.
func Titles(titles []string) []string {
	var list []string
	for _, title := range titles {
		if title := Plain(title); title != "" && !slices.Contains(list, title) {
			list = append(list, title)
		}
	}
	return list
}

// Summary lists two products and counts the rest: "Coffee, Tea and 2 more".
func Summary(titles []string) string {
	const named = 2
	list := Titles(titles)
	text := strings.Join(list[:min(named, len(list))], ", ")
	if more := len(list) - named; more > 0 {
		text += andMore(more)
	}
	return text
}

// maxProducts is the length in characters to which a default text cuts the names of several products.
const maxProducts = 24

// Products names what a charge or an order is for. One product has its title. Several have a summary that is short enough not to be
// cut: otherwise the first product would stand beside the amount of all.
func Products(titles []string) string {
	list, text := Titles(titles), Summary(titles)
	if len(list) < 2 || utf8.RuneCountInString(text) <= maxProducts {
		return text
	}
	more := andMore(len(list) - 1)
	return cut(list[0], maxProducts-utf8.RuneCountInString(more)) + more
}

func andMore(n int) string { return fmt.Sprintf(" and %d more", n) }

// cut shortens a title to a number of characters.
func cut(title string, length int) string {
	const dots = "..."
	runes := []rune(title)
	if len(runes) <= length {
		return title
	}
	return strings.TrimRight(string(runes[:max(length-len(dots), 0)]), " ") + dots
}
