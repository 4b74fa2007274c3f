package readmodel

import (
	"context"
	"strings"
	"unicode"
)

const (
	// maxCustomers limits the customers whose texts a search shows.
	maxCustomers = 1000
	// maxWords limits the texts whose words match: those that were claimed last are shown.
	maxWords = 2000
	// minPhone is how many of the last digits of a number are needed to search for it.
	minPhone = 4
	// maxPhone is how many of them are compared: the same number is typed with a country code, or with a zero in its place, or without.
	maxPhone = 8
	// maxQuery is how many bytes of a search are looked at, maxTerms how many of its words.
	maxQuery = 200
	maxTerms = 8
)

// matching returns from where the texts come that a query finds: from those of the customers whom it finds, and from those with its words. Of
// these, only texts that were claimed before a time are of interest.
func (m *Model) matching(ctx context.Context, f TextFilter, before int64) (where, error) {
	query := bounded(f.Query)
	switch {
	case f.Customers != nil:
		return ofCustomers(f), nil
	case query == "":
		return where{from: "texts t"}, nil
	case words(query) == "":
		return where{from: "texts t", conditions: []string{"FALSE"}}, nil
	}
	ids, err := m.customersOf(ctx, f.Store, query)
	if err != nil {
		return where{}, err
	}
	scope, err := m.scope(ctx, f.Store)
	if err != nil {
		return where{}, err
	}
	if !f.Until.IsZero() {
		before = min(before, millis(f.Until))
	}
	return where{
		from: `(SELECT t.key FROM json_each(?) c CROSS JOIN texts t ON t.store = (SELECT id FROM stores WHERE name = ?) AND t.customer = c.value
		UNION SELECT b.text FROM (SELECT rowid AS doc FROM bodies_fts WHERE bodies_fts MATCH ? AND rowid <= ? ORDER BY rowid DESC LIMIT ?) f
			CROSS JOIN bodies b ON b.doc = f.doc) found CROSS JOIN texts t ON t.key = found.key`,
		values: []any{asJSON(ids), f.Store, scope + " AND words : (" + words(query) + ")", docsUntil(before), f.mostWords()},
	}, nil
}

// ofCustomers returns from where the texts of the customers of a filter come.
func ofCustomers(f TextFilter) where {
	return where{
		from:   "json_each(?) c CROSS JOIN texts t ON t.store = (SELECT id FROM stores WHERE name = ?) AND t.customer = c.value",
		values: []any{asJSON(f.Customers), f.Store},
	}
}

// mostWords limits the texts whose words match: more if most of them may be left out.
func (f TextFilter) mostWords() int {
	if f.Flow != "" || f.Status != "" || f.Customer != "" || !f.Since.IsZero() {
		return 10 * maxWords
	}
	return maxWords
}

// customersOf returns the IDs of the customers whom a search finds.
func (m *Model) customersOf(ctx context.Context, store, query string) ([]string, error) {
	customers, err := m.Customers(ctx, store, query, maxCustomers)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, c := range customers {
		ids = append(ids, c.ID)
	}
	if isNumber(query) {
		ids = append(ids, digitsOf(query)) // of a customer without a row
	}
	return ids, nil
}

// docsUntil returns the last row of bodies_fts that was claimed at a time or before.
func docsUntil(at int64) int64 { return min(at, 1<<42)<<20 | 0xfffff }

// Customers returns the customers of a store whose ID, e-mail, name or number matches: the ID whole, the last digits of a number, the
// beginnings of the words of a name or of an e-mail. It returns at most the limit, 50 by default.
func (m *Model) Customers(ctx context.Context, store, query string, limit int) ([]Customer, error) {
	ctx, cancel := m.patiently(ctx)
	defer cancel()
	query = bounded(query)
	if words(query) == "" {
		return []Customer{}, nil
	}
	scope, err := m.scope(ctx, store)
	if err != nil {
		return nil, err
	}
	if isNumber(query) {
		digits, end := digitsOf(query), phoneEnd(query)
		if len(end) < minPhone {
			end = "none"
		}
		end = end[:min(len(end), maxPhone)]
		return list(ctx, m, scanCustomer, selectCustomers+` WHERE s.name = ?1 AND (c.id = ?2 OR c.phone_end >= ?3 AND c.phone_end < ?3 || ':') LIMIT ?4`,
			store, digits, end, limitOf(limit))
	}
	return list(ctx, m, scanCustomer, selectCustomers+` WHERE c.key IN (SELECT rowid FROM customers_fts WHERE customers_fts MATCH ? LIMIT ?)
		ORDER BY c.first_name, c.last_name, c.id`, scope+" AND {email name} : ("+words(query)+")", limitOf(limit))
}

// scope returns the FTS condition for a store.
func (m *Model) scope(ctx context.Context, store string) (string, error) {
	id, err := m.number(ctx, "SELECT id FROM stores WHERE name = ?", store)
	return "scope : " + scopeOf(id), err
}

// isNumber reports whether a query is an ID or a phone number.
func isNumber(query string) bool {
	return digitsOf(query) != "" && strings.Trim(query, "+0123456789 ()-./") == ""
}

// bounded returns the part of a search that is looked at.
func bounded(query string) string {
	query = strings.TrimSpace(query)
	return strings.ToValidUTF8(query[:min(len(query), maxQuery)], "")
}

// words returns a query of FTS5 for the first words of a text, each one of them or its beginning. An e-mail is a phrase. Characters that have a meaning
// in queries are none.
func words(text string) string {
	var all []string
	for field := range strings.FieldsFuncSeq(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		if len(all) < maxTerms && strings.ContainsFunc(field, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			all = append(all, `"`+strings.ReplaceAll(field, `"`, " ")+`" *`)
		}
	}
	return strings.Join(all, " AND ")
}
