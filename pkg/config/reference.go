package config

import (
	"fmt"
	"io"
	"strings"
)

// WriteReference writes the reference of all keys as Markdown: what the declaration says, so it can't be stale where it
// is generated.
func WriteReference(w io.Writer) error {
	var text strings.Builder
	text.WriteString(referenceHead)
	section := ""
	for _, k := range Keys() {
		if s := sectionOf(k.Path); s != section {
			section = s
			fmt.Fprintf(&text, "\n## %s\n\n| key | default | what it is |\n|---|---|---|\n", section)
		}
		fmt.Fprintf(&text, "| `%s`%s | %s | %s |\n", k.Path, environmentOf(k), defaultOf(k), meaningOf(k))
	}
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("write reference: %w", err)
	}
	return nil
}

const referenceHead = `# Configuration

Written by ` + "`rechargeflow config docs`" + `; ` + "`make docs`" + ` writes it anew.

The file is the one that ` + "`-config`" + ` names, else the one that ` + "`RECHARGEFLOW_CONFIG`" + ` names, else
` + "`./rechargeflow.yaml`" + `. The environment wins over the file, the file over the default. A key's variable stands below it; for a
store, ` + "`{NAME}`" + ` is the store's name in capitals with ` + "`_`" + ` for ` + "`-`" + `. A secret can also be read from a file that the variable with
` + "`_FILE`" + ` at its end names. Lists are separated by commas in the environment. Unknown keys and variables are faults:
` + "`rechargeflow config check`" + ` names all of them at once, ` + "`config print`" + ` shows every value and where it comes from.
`

// sectionOf is the block of the file that a key stands in.
func sectionOf(path string) string {
	parts := strings.Split(path, ".")
	if len(parts) == 1 {
		return "top level"
	}
	return strings.Join(parts[:len(parts)-1], ".")
}

func environmentOf(k Key) string {
	switch {
	case k.Env == "":
		return "<br>file only"
	case k.Secret:
		return "<br>`" + k.Env + "`, `..._FILE`"
	}
	return "<br>`" + k.Env + "`"
}

func defaultOf(k Key) string {
	switch {
	case k.Required:
		return "required"
	case k.Default != "":
		return "`" + k.Default + "`"
	}
	return "empty"
}

// meaningOf is the declared line, then what a value must look like.
func meaningOf(k Key) string {
	text := k.Doc
	if k.Kind != KindText || k.OneOf != nil || k.check != "" {
		text += " " + sentence(k.Expected())
	}
	if k.Example != "" {
		text += " Example: `" + k.Example + "`."
	}
	return strings.ReplaceAll(text, "|", `\|`)
}

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
