package bloomreach

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode"

	"github.com/rechargeflow/rechargeflow/pkg/jsonappend"
)

// Properties are the attributes of an event or a customer, name to value. The setters encode a value at once, and leave out absent
// values: Bloomreach does not document null. Each name is set once, and is ASCII text. The zero value has no properties.
//
// Values that are too long for Bloomreach are cut, see fit.go.
type Properties struct {
	values []byte // in JSON, one after the other
	list   []property
	text   int           // the length of the longest text in JSON; 0 is maxValue
	wrong  *invalidValue // the first
}

// property is a name, and the position of its value in Properties.values.
type property struct {
	name     string
	from, to int
	whole    int // the length of a value before it was cut, else 0
}

// Text sets a string, unless it is empty.
func (p *Properties) Text(name, value string) {
	if value == "" {
		return
	}
	from := p.next()
	p.values = jsonappend.AppendHTMLString(p.values, value)
	whole, limit := len(p.values)-from, cmp.Or(p.text, maxValue)
	if whole <= limit {
		p.add(name, from)
		return
	}
	p.values = jsonappend.AppendHTMLString(p.values[:from], cutString(value, limit))
	p.addCut(name, from, whole, 0)
}

// Amount sets a number with the digits of a decimal string, unless that is empty.
func (p *Properties) Amount(name, digits string) {
	if digits == "" {
		return
	}
	from := p.next()
	p.values = appendDecimal(p.values, digits)
	if !isDecimal(string(p.values[from:])) {
		p.invalid(name, notDecimal)
	}
	p.add(name, from)
}

// Number sets an integer, unless it is 0.
func (p *Properties) Number(name string, n int) {
	if n != 0 {
		p.integer(name, n)
	}
}

// Count sets an integer that may be 0, unless it is nil.
func (p *Properties) Count(name string, n *int) {
	if n != nil {
		p.integer(name, *n)
	}
}

func (p *Properties) integer(name string, n int) {
	from := p.next()
	p.values = strconv.AppendInt(p.values, int64(n), 10)
	p.add(name, from)
}

// Flag sets a boolean.
func (p *Properties) Flag(name string, value bool) {
	from := p.next()
	p.values = strconv.AppendBool(p.values, value)
	p.add(name, from)
}

// Time sets a time in UNIX seconds, see [UnixSeconds], unless it is the zero time.
func (p *Properties) Time(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	from := p.next()
	p.values = appendUnixSeconds(p.values, t)
	p.add(name, from)
}

// List sets an array, unless it is empty. A list inside a string would not be searchable
// (https://documentation.bloomreach.com/engagement/docs/data-types).
func (p *Properties) List(name string, values []string) {
	p.elements(name, len(values), func(b []byte, i, limit int) []byte { return appendCut(b, values[i], limit) })
}

// Objects sets an array of n objects, unless n is 0. It calls set for each of them, some twice if the array must be cut.
func (p *Properties) Objects(name string, n int, set func(i int, object *Properties)) {
	object := &Properties{}
	p.elements(name, n, func(b []byte, i, limit int) []byte {
		*object = Properties{values: object.values[:0], list: object.list[:0], text: limit}
		set(i, object)
		if wrong := object.wrong; wrong != nil {
			p.invalid(fmt.Sprintf("%s[%d].%s", name, i, wrong.path), wrong.reason)
		}
		return object.appendTo(b)
	})
}

// elements sets an array. appendElement appends an element whose strings have at most limit bytes.
func (p *Properties) elements(name string, n int, appendElement func(b []byte, i, limit int) []byte) {
	if n == 0 {
		return
	}
	from := p.next()
	p.values = append(p.values, '[')
	for i := range n {
		p.values = append(appendElement(p.values, i, maxMessage), ',')
	}
	p.values[len(p.values)-1] = ']'
	whole, limit := len(p.values)-from, maxValue
	if whole <= limit {
		p.add(name, from)
		return
	}
	fit := 0
	p.values, fit = appendFirst(p.values[:from], n, limit, appendElement)
	p.addCut(name, from, whole, n-fit)
}

// next returns the position of the next value.
func (p *Properties) next() int {
	if p.values == nil {
		p.values, p.list = make([]byte, 0, 1<<10), make([]property, 0, 32) // most events need no more
	}
	return len(p.values)
}

func (p *Properties) add(name string, from int) {
	if size := len(p.values) - from; size > maxValue && p.text == 0 {
		p.invalid(name, tooLong(size))
	}
	if !isName(name) {
		p.invalid(name, notASCII)
	}
	p.list = append(p.list, property{name: name, from: from, to: len(p.values)})
}

// addCut adds a value that was cut, and marks it. In a list the list is marked.
func (p *Properties) addCut(name string, from, whole, omitted int) {
	p.add(name, from)
	if p.text != 0 {
		return
	}
	p.list[len(p.list)-1].whole = whole
	p.Flag(name+suffixTruncated, true)
	p.Number(name+suffixOmitted, omitted)
}

// appendTo appends the properties as an object. The names are sorted, as encoding/json sorts those of a map: the same properties have the
// same bytes in whatever order they were set.
func (p *Properties) appendTo(b []byte) []byte {
	slices.SortFunc(p.list, func(x, y property) int { return cmp.Compare(x.name, y.name) })
	b = append(b, '{')
	for i, one := range p.list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsonappend.AppendHTMLString(b, one.name), ':')
		b = append(b, p.values[one.from:one.to]...)
	}
	return append(b, '}')
}

// size is more than the bytes of most commands with the properties.
func (p *Properties) size() int {
	const frame, perName = 256, 24
	return frame + len(p.values) + perName*len(p.list)
}

// invalidValue is the path of an invalid value inside the properties, and the reason.
type invalidValue struct {
	path, reason string
}

func (p *Properties) invalid(path, reason string) {
	if p.wrong == nil {
		p.wrong = &invalidValue{path, reason}
	}
}

const notASCII = "is not ASCII text"

// isName reports whether a property may have a name (https://documentation.bloomreach.com/engagement/docs/tracking).
func isName(name string) bool {
	for i := range len(name) {
		if name[i] > unicode.MaxASCII {
			return false
		}
	}
	return name != ""
}

func (p *Properties) err() error {
	switch {
	case p.wrong == nil:
		return nil
	case p.wrong.reason == notASCII:
		return fmt.Errorf("%w: property name %q %s", ErrCommand, p.wrong.path, notASCII)
	}
	return fmt.Errorf("%w: property %q %s", ErrCommand, p.wrong.path, p.wrong.reason)
}
