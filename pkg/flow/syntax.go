package flow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// source is a parsed template: its variables and its errors. Texts use a small part of Liquid, without loops, assignments,
// ranges and includes. So the time and memory to render a template are proportional to its length, and it can read only the
// variables.
type source struct {
	variables []string // in order of occurrence, with repetitions
	problems  []string // errors, worded for the author of the text

	names []string       // the variables that a text may use
	token *regexp.Regexp // a name, a string, a number, a comparison, | : or comma
}

// allowedTags, allowedFilters and keywords define the allowed language.
func allowedTags() []string {
	return []string{
		"if", "elsif", "else", "endif", "unless", "endunless", "case", "when", "endcase", "comment", "endcomment",
	}
}

func allowedFilters() []string {
	return []string{
		"append", "capitalize", "date", "default", "downcase", "join", "prepend", "remove", "strip", "truncate", "truncatewords",
		"upcase", "url_encode",
	}
}

func keywords() []string { return []string{"and", "or", "contains", "true", "false", "nil"} }

// scan parses a template.
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

// opening returns the index of the next {{ or {%, or -1.
func opening(text string) int {
	output, tag := strings.Index(text, "{{"), strings.Index(text, "{%")
	if output < 0 || tag >= 0 && tag < output {
		return tag
	}
	return output
}

// literal checks the text outside of outputs and tags.
func (s *source) literal(text string) {
	for _, closing := range []string{"}}", "%}"} {
		if strings.Contains(text, closing) {
			s.problem("%s has no opening {{ or {%%", closing)
		}
	}
}

// inside checks one {{ output }} or {% tag %}.
func (s *source) inside(open, text, closing string) {
	if strings.ContainsAny(text, "{}\n\r") {
		s.problem("%s: the closing %s is missing, or is on another line", quoted(open+text), closing)
		return
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "-"), "-")
	text = strings.Trim(text, " \t")
	if open == "{%" {
		tag, expression, _ := strings.Cut(text, " ")
		if !slices.Contains(allowedTags(), tag) {
			s.problem("tag %q is not allowed: a text may use %s", tag, joined(allowedTags()))
			return
		}
		text = expression
	} else if text == "" {
		s.problem("{{ }} is empty: name a variable, or remove it")
	}
	s.expression(text)
}

// expression checks the names in an expression and collects its variables.
func (s *source) expression(text string) {
	filter := false
	for text = strings.Trim(text, " \t"); text != ""; text = strings.TrimLeft(text, " \t") {
		word := s.token.FindString(text)
		if word == "" {
			s.problem("%s is not valid: an expression may have names, \"texts\", numbers, comparisons and filters", quoted(text))
			return
		}
		s.word(word, filter)
		filter = word == "|"
		text = text[len(word):]
	}
}

// word checks one token. A name after a pipe is a filter. Any other name that is not a keyword is a variable.
func (s *source) word(word string, filter bool) {
	switch {
	case !isName(word):
		if filter {
			s.problem("| is followed by %s instead of the name of a filter", quoted(word))
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
		s.problem("filter %q writes HTML, which a phone shows as it is (&amp;): remove it", name)
	case !slices.Contains(allowedFilters(), name):
		s.problem("unknown filter %q: a text may use %s", name, joined(allowedFilters()))
	}
}

// problem adds an error, unless it was already added.
func (s *source) problem(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(s.problems, text) {
		s.problems = append(s.problems, text)
	}
}

func isName(word string) bool {
	c := word[0]
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// quoted shortens a part of a template for an error message.
func quoted(text string) string {
	if runes := []rune(text); len(runes) > 30 {
		text = string(runes[:30]) + "..."
	}
	return fmt.Sprintf("%q", text)
}
