package flow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// source is what a template's text refers to. The language of texts is a small part of Liquid, checked here before the
// engine sees it: no loops, no assignments, no ranges, no includes. So rendering a text takes time and memory in
// proportion to its length, and reads nothing but the variables.
type source struct {
	variables []string // in the order they occur, with repetitions
	problems  []string // what is wrong, in words for the author of the text

	names []string       // that a text may use
	token *regexp.Regexp // a name, a text, a number, a comparison, | : or comma
}

// allowedTags, allowedFilters and keywords close the language.
func allowedTags() []string {
	return []string{
		"if", "elsif", "else", "endif", "unless", "endunless", "case", "when", "endcase", "comment", "endcomment",
	}
}

func allowedFilters() []string {
	return []string{
		"append", "capitalize", "date", "default", "downcase", "prepend", "remove", "strip", "truncate", "truncatewords",
		"upcase", "url_encode",
	}
}

func keywords() []string { return []string{"and", "or", "contains", "true", "false", "nil"} }

// scan reads a template.
func scan(text string) source {
	s := source{
		names: Names(),
		token: regexp.MustCompile(`^(?:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|"[^"\\]*"|'[^']*'|-?\d{1,9}(?:\.\d{1,9})?|==|!=|<=|>=|[<>|:,])`),
	}
	rest := text
	for {
		start := opening(rest)
		if start < 0 {
			break
		}
		s.literal(rest[:start])
		open := rest[start : start+2]
		closing := "}}"
		if open == "{%" {
			closing = "%}"
		}
		inside, after, found := strings.Cut(rest[start+2:], closing)
		if !found {
			s.problem("%s is never closed with %s", quoted(rest[start:]), closing)
			return s
		}
		s.inside(open, inside, closing)
		rest = after
	}
	s.literal(rest)
	return s
}

// opening returns where the next {{ or {% stands, or -1.
func opening(text string) int {
	output, tag := strings.Index(text, "{{"), strings.Index(text, "{%")
	if output < 0 || tag >= 0 && tag < output {
		return tag
	}
	return output
}

// literal checks what stands between the braces.
func (s *source) literal(text string) {
	for _, closing := range []string{"}}", "%}"} {
		if strings.Contains(text, closing) {
			s.problem("%s closes nothing: an opening {{ or {%% is missing", closing)
		}
	}
}

// inside checks one {{ output }} or {% tag %}.
func (s *source) inside(open, text, closing string) {
	if strings.ContainsAny(text, "{}\n\r") {
		s.problem("%s: the closing %s is missing, or it stands on another line", quoted(open+text), closing)
		return
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "-"), "-")
	text = strings.Trim(text, " \t")
	if open == "{%" {
		tag, expression, _ := strings.Cut(text, " ")
		if !slices.Contains(allowedTags(), tag) {
			s.problem("tag %q can not be used: a text may use %s", tag, joined(allowedTags()))
			return
		}
		text = expression
	} else if text == "" {
		s.problem("{{ }} is empty: name a variable, or take it out")
	}
	s.expression(text)
}

// expression checks the names in an expression and keeps its variables.
func (s *source) expression(text string) {
	filter := false
	for text = strings.Trim(text, " \t"); text != ""; text = strings.TrimLeft(text, " \t") {
		word := s.token.FindString(text)
		if word == "" {
			s.problem("%s can not be read: a text may compare and filter names, \"texts\" and numbers", quoted(text))
			return
		}
		s.word(word, filter)
		filter = word == "|"
		text = text[len(word):]
	}
}

// word judges one token: a name after a bar is a filter, any other name that is no keyword is a variable.
func (s *source) word(word string, filter bool) {
	switch {
	case !isName(word):
		if filter {
			s.problem("| is followed by %s: want the name of a filter", quoted(word))
		}
	case filter:
		s.filter(word)
	case slices.Contains(keywords(), word):
	default:
		s.variables = append(s.variables, word)
		if !slices.Contains(s.names, word) {
			s.problem("unknown variable %q: a text may use %s", word, joined(s.names))
		}
	}
}

func (s *source) filter(name string) {
	switch {
	case strings.HasPrefix(name, "escape"):
		s.problem("filter %q writes HTML, which a phone shows as it is (&amp;): take it out", name)
	case !slices.Contains(allowedFilters(), name):
		s.problem("unknown filter %q: a text may use %s", name, joined(allowedFilters()))
	}
}

// problem keeps each problem once.
func (s *source) problem(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(s.problems, text) {
		s.problems = append(s.problems, text)
	}
}

func isName(word string) bool {
	c := word[0]
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// quoted shortens a piece of a template for a message.
func quoted(text string) string {
	if runes := []rune(text); len(runes) > 30 {
		text = string(runes[:30]) + "..."
	}
	return fmt.Sprintf("%q", text)
}
